import { LRUCache } from 'lru-cache';
import type { Decoder } from '../helm/decoder.ts';
import type { DeleteHook } from '../helm/delete-hooks.ts';
import type { HookAccount } from '../helm/hook-accounts.ts';
import type { Chart } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Api } from '../kubernetes/api.ts';
import { createFairQueue } from '../kubernetes/fair-queue.ts';
import { fetchPayload } from './stored-payload.ts';

/** The hooks that Helm runs when it uninstalls a stored revision, and whom all of its hooks run as. Its payload alone tells, and that never changes (docs/design.md#records). */
export interface StoredHooks {
  readonly chart: Chart;
  /** The namespace of the release's objects. */
  readonly home: string;
  readonly hooks: readonly DeleteHook[];
  readonly accounts: readonly HookAccount[];
}

export interface DeleteHooks {
  /** Undefined when the record is gone or holds nothing that Helm could read. Rejects when it cannot be fetched. */
  of(record: ReleaseRecord): Promise<StoredHooks | undefined>;
  /** As far as it has been read before. */
  known(record: ReleaseRecord): StoredHooks | undefined;
}

/** Some 300 bytes for the usual release without such hooks, so 3 MB; and 2 MB for all hooks that are remembered, at 100 bytes each. */
const MAX_RECORDS = 10_000;
const MAX_HOOKS = 20_000;

/** A namespace may hold hundreds of releases. The decoder and the API server have other work as well. */
const FETCHES = { maxRunning: 8, maxRunningEach: 4, maxWaiting: 2_000, maxWaitingEach: 500 };

/** No review that asks for hooks waits longer. */
const FETCH_TIMEOUT_MS = 9_000;

export const createDeleteHooks = (api: Api, decoder: Pick<Decoder, 'run'>): DeleteHooks => {
  const remembered = new LRUCache<string, StoredHooks>({
    max: MAX_RECORDS,
    maxSize: MAX_RECORDS + MAX_HOOKS,
    sizeCalculation: ({ hooks, accounts }) => 1 + hooks.length + accounts.length,
  });
  const underWay = new Map<string, Promise<StoredHooks | undefined>>();
  const queue = createFairQueue('payloads of which the hooks are asked for', FETCHES);

  const read = async (record: ReleaseRecord, signal: AbortSignal): Promise<StoredHooks | undefined> => {
    const fetched = await fetchPayload(api, record, signal);
    if (fetched === undefined) return undefined;
    const job = { want: 'hooks', kind: record.kind, payload: fetched.payload } as const;
    const answer = await decoder.run<'hooks'>(job, record.namespace, signal);
    if (!answer.readable) return undefined;
    const { summary, hooks, accounts } = answer.result;
    const found: StoredHooks = {
      chart: { name: summary.chartName, version: summary.chartVersion },
      home: summary.namespace === '' ? record.namespace : summary.namespace,
      hooks,
      accounts,
    };
    if (fetched.uid !== undefined) remembered.set(fetched.uid, found);
    return found;
  };

  return {
    known: (record) => remembered.get(record.uid),
    of: (record) => {
      const known = remembered.get(record.uid);
      if (known !== undefined) return Promise.resolve(known);
      const key = `${record.uid}@${record.resourceVersion}`;
      const shared = underWay.get(key);
      if (shared !== undefined) return shared;
      const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      const fetched = queue
        .run(record.namespace, () => read(record, signal), signal)
        .finally(() => underWay.delete(key));
      underWay.set(key, fetched);
      return fetched;
    },
  };
};
