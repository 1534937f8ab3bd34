import { LRUCache } from 'lru-cache';
import type { Decoder } from '../helm/decoder.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Api } from '../kubernetes/api.ts';
import { createFairQueue } from '../kubernetes/fair-queue.ts';
import { fetchPayload } from './stored-payload.ts';

/**
 * In which namespace a stored revision has its objects. Only its payload tells, and a payload never changes its namespace
 * (docs/design.md#records-in-another-namespace).
 */
export interface PayloadNamespaces {
  /** The namespace, where the payload has been read before. */
  known(record: ReleaseRecord): string | undefined;
  /** Undefined when the record is gone or holds nothing that Helm could read. Rejects when it cannot be fetched. */
  read(record: ReleaseRecord): Promise<string | undefined>;
}

/** Two revisions a release (the deployed one, and the one in flight) at 10,000 releases, and room; at some 150 bytes each, 4 MB. */
const MAX_REMEMBERED = 25_000;

/** A name may be in thousands of namespaces. The decoder and the API server have other work as well. */
const FETCHES = { maxRunning: 4, maxRunningEach: 2, maxWaiting: 20_000, maxWaitingEach: 2_000 };

const FETCH_TIMEOUT_MS = 9_000;

/** No review waits longer for its answer. */
const WAIT_TIMEOUT_MS = 30_000;

export const createPayloadNamespaces = (api: Api, decoder: Decoder): PayloadNamespaces => {
  const remembered = new LRUCache<string, string>({ max: MAX_REMEMBERED });
  const underWay = new Map<string, Promise<string | undefined>>();
  const queue = createFairQueue('payloads of which the namespace is asked for', FETCHES);

  const fetchNamespace = async (record: ReleaseRecord, signal: AbortSignal): Promise<string | undefined> => {
    const fetched = await fetchPayload(api, record, signal);
    if (fetched === undefined) return undefined;
    const { uid, payload } = fetched;
    const job = { want: 'summary', kind: record.kind, payload } as const;
    const answer = await decoder.run<'summary'>(job, record.namespace, signal);
    if (!answer.readable) return undefined;
    const { namespace } = answer.result.summary;
    const found = namespace === '' ? record.namespace : namespace;
    if (uid !== undefined) remembered.set(uid, found);
    return found;
  };

  return {
    known: (record) => remembered.get(record.uid),
    read: (record) => {
      const known = remembered.get(record.uid);
      if (known !== undefined) return Promise.resolve(known);
      const shared = underWay.get(record.uid);
      if (shared !== undefined) return shared;
      const read = queue
        .run(
          record.namespace,
          () => fetchNamespace(record, AbortSignal.timeout(FETCH_TIMEOUT_MS)),
          AbortSignal.timeout(WAIT_TIMEOUT_MS),
        )
        .finally(() => underWay.delete(record.uid));
      underWay.set(record.uid, read);
      return read;
    },
  };
};
