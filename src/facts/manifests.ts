import { LRUCache } from 'lru-cache';
import type { SizedDocuments } from '../helm/decode-worker.ts';
import type { Decoder } from '../helm/decoder.ts';
import type { ManifestDocument } from '../helm/manifest.ts';
import type { WantedObject } from '../helm/manifest-search.ts';
import type { Chart } from '../helm/names.ts';
import type { PayloadSummary } from '../helm/payload.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Api } from '../kubernetes/api.ts';
import { createFairCache } from '../kubernetes/fair-cache.ts';
import { createFairQueue } from '../kubernetes/fair-queue.ts';
import { fetchPayload } from './stored-payload.ts';

/** The parsed manifest of a stored revision. It never changes (docs/design.md#records), so the record's uid is key enough. */
export interface Manifest {
  readonly chart: Chart;
  /** Where the objects live. */
  readonly namespace: string;
  /** All documents, or those of the object that was asked for. */
  readonly documents: readonly ManifestDocument[];
}

export interface Manifests {
  /**
   * Of a manifest that is too large to be kept, only the documents of `wanted` are read; without `wanted`, all of them. Undefined when the
   * record is gone or holds nothing that Helm could read. Rejects when it cannot be fetched, and with UnreadableManifest.
   */
  of(record: ReleaseRecord, wanted?: WantedObject): Promise<Manifest | undefined>;
  /** The chart alone, even where the manifest cannot be read. Undefined, or rejects, in the same cases as `of`. */
  chartOf(record: ReleaseRecord): Promise<Chart | undefined>;
  /** The answer of `of` where that needs no fetch; undefined where it needs one. */
  cached(record: ReleaseRecord, wanted?: WantedObject): Manifest | undefined;
}

/** Thrown for a manifest that takes too long to look through. Such a manifest is tried once, and not again at each write. */
export class UnreadableManifest extends Error {
  override readonly name = 'UnreadableManifest';
}

/**
 * Bytes of the parsed manifests that are kept. The manifest of a usual chart has ten objects and takes some 60 KB, so there is room for 500
 * releases. The manifest of kube-prometheus-stack takes 2 MB without its definitions.
 */
const MAX_CACHED_BYTES = 32 * 1024 * 1024;

/** Bytes that an entry takes beside its documents. */
const BYTES_AN_ENTRY = 1_000;

/** Records whose manifests take too long, by uid: 100 bytes each. */
const MAX_UNREADABLE = 10_000;

/** All reviews that wait for a manifest share one fetch. So the fetch has a deadline of its own, and not the deadline of the first review. */
const FETCH_TIMEOUT_MS = 9_000;

/**
 * A payload at its limit takes some MiB until it has been decoded, and the releases of a cluster may all be asked for at once. One
 * namespace never takes more than half of the turns. A fetch that waits for its turn holds nothing but the name of a record.
 */
const FETCHES = { maxRunning: 8, maxRunningEach: 4, maxWaiting: 2_000, maxWaitingEach: 500 };

/** The function is long, because what it hands out shares one cache and one queue. */
export const createManifests = (
  api: Api,
  decoder: Decoder,
  { maxBytes } = { maxBytes: MAX_CACHED_BYTES },
): Manifests => {
  const cache = createFairCache<Manifest>(maxBytes);
  const unreadable = new LRUCache<string, true>({ max: MAX_UNREADABLE });
  const underWay = new Map<string, Promise<Manifest | undefined>>();
  const queue = createFairQueue('manifests', FETCHES);

  const keep = (
    { namespace }: ReleaseRecord,
    key: string,
    manifest: Manifest,
    { heldBytes }: SizedDocuments,
  ): Manifest => {
    cache.set(namespace, key, manifest, heldBytes + BYTES_AN_ENTRY);
    return manifest;
  };

  const read = async (
    record: ReleaseRecord,
    wanted: WantedObject | undefined,
    signal: AbortSignal,
  ): Promise<Manifest | undefined> => {
    const fetched = await fetchPayload(api, record, signal);
    if (fetched === undefined) return undefined;
    const { uid, payload } = fetched;
    const job = { want: 'documents', kind: record.kind, payload, wanted } as const;
    const answer = await decoder.run<'documents'>(job, record.namespace, signal);
    if (!answer.readable) return undefined;
    const { found, summary } = answer.result;
    if (found === undefined) {
      if (uid !== undefined) unreadable.set(keyOf(uid, wanted), true);
      throw new UnreadableManifest(`the manifest of ${record.name} takes too long to read`);
    }
    const manifest: Manifest = {
      chart: chartIn(summary),
      namespace: summary.namespace === '' ? record.namespace : summary.namespace,
      documents: found.documents,
    };
    return uid === undefined ? manifest : keep(record, found.isComplete ? uid : keyOf(uid, wanted), manifest, found);
  };

  const cached: Manifests['cached'] = ({ namespace, uid }, wanted) =>
    cache.get(namespace, uid) ?? (wanted === undefined ? undefined : cache.get(namespace, keyOf(uid, wanted)));

  const readChart = async (record: ReleaseRecord, signal: AbortSignal): Promise<Chart | undefined> => {
    const fetched = await fetchPayload(api, record, signal);
    if (fetched === undefined) return undefined;
    const job = { want: 'summary', kind: record.kind, payload: fetched.payload } as const;
    const answer = await decoder.run<'summary'>(job, record.namespace, signal);
    return answer.readable ? chartIn(answer.result.summary) : undefined;
  };

  return {
    cached,
    chartOf: async (record) => {
      const known = cached(record);
      if (known !== undefined) return known.chart;
      const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      return queue.run(record.namespace, () => readChart(record, signal), signal);
    },
    of: (record, wanted) => {
      const known = cached(record, wanted);
      if (known !== undefined) return Promise.resolve(known);
      if (unreadable.get(keyOf(record.uid, wanted)) === true)
        return Promise.reject(new UnreadableManifest(`the manifest of ${record.name} takes too long to read`));
      // One fetch for all who ask at once: an upgrade of a large chart begins with a burst of object writes.
      const key = `${keyOf(record.uid, wanted)}@${record.resourceVersion}`;
      const shared = underWay.get(key);
      if (shared !== undefined) return shared;
      // The deadline also counts while the fetch waits for its turn. After it no review waits for the manifest any more, and nothing is fetched.
      const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      const fetched = queue
        .run(record.namespace, () => read(record, wanted, signal), signal)
        .finally(() => underWay.delete(key));
      underWay.set(key, fetched);
      return fetched;
    },
  };
};

const chartIn = ({ chartName, chartVersion }: PayloadSummary): Chart => ({ name: chartName, version: chartVersion });

const keyOf = (uid: string, wanted: WantedObject | undefined): string =>
  wanted === undefined ? uid : `${uid} ${wanted.group} ${wanted.kind} ${wanted.name}`;
