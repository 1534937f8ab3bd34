import { LRUCache } from 'lru-cache';
import type { Decoder } from '../helm/decoder.ts';
import type { ManifestDocument } from '../helm/manifest.ts';
import type { Chart } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Api } from '../kubernetes/api.ts';
import { createConcurrencyLimit } from '../kubernetes/concurrency-limit.ts';
import { fetchPayload } from './stored-payload.ts';

/** The parsed manifest of a stored revision. It never changes (docs/design.md#records), so the record's uid is key enough. */
export interface Manifest {
  readonly chart: Chart;
  /** Where the objects live. */
  readonly namespace: string;
  readonly documents: readonly ManifestDocument[];
}

export interface Manifests {
  /** Undefined when the record is gone or holds nothing that Helm could read. Rejects when it cannot be fetched. */
  of(record: ReleaseRecord): Promise<Manifest | undefined>;
  /** What `of` answers without a fetch. Undefined when a fetch is needed. */
  cached(record: ReleaseRecord): Manifest | undefined;
}

/** Manifests kept, counted by the size of their payload as stored. A parsed manifest takes a few times that size. */
const MAX_CACHED_BYTES = 16 * 1024 * 1024;
const MAX_CACHED = 1_000;

/** All reviews that wait for a manifest share one fetch. So the fetch has a time of its own, and not the time of the first review. */
const FETCH_TIMEOUT_MS = 9_000;

/** A payload at its limit takes some MiB until it has been decoded, and the releases of a cluster may all be asked for at once. */
const MAX_AT_ONCE = 8;

export const createManifests = (
  api: Api,
  decoder: Decoder,
  { max, maxBytes } = { max: MAX_CACHED, maxBytes: MAX_CACHED_BYTES },
): Manifests => {
  const cache = new LRUCache<string, Manifest>({ max, maxSize: maxBytes });
  const underWay = new Map<string, Promise<Manifest | undefined>>();

  const limit = createConcurrencyLimit(MAX_AT_ONCE);

  const read = async (record: ReleaseRecord, signal: AbortSignal): Promise<Manifest | undefined> => {
    const fetched = await fetchPayload(api, record, signal);
    if (fetched === undefined) return undefined;
    const { uid, payload } = fetched;
    // The decoder may take it.
    const size = payload.length;
    const answer = await decoder.run<'documents'>({ want: 'documents', kind: record.kind, payload }, signal);
    if (!answer.readable) return undefined;
    const { documents, summary } = answer.result;
    const manifest: Manifest = {
      chart: { name: summary.chartName, version: summary.chartVersion },
      namespace: summary.namespace === '' ? record.namespace : summary.namespace,
      documents,
    };
    if (uid !== undefined) cache.set(uid, manifest, { size });
    return manifest;
  };

  return {
    cached: (record) => cache.get(record.uid),
    of: (record) => {
      const cached = cache.get(record.uid);
      if (cached !== undefined) return Promise.resolve(cached);
      // One fetch for all who ask at once: an upgrade of a large chart begins with a burst of object writes.
      const key = `${record.uid}@${record.resourceVersion}`;
      const shared = underWay.get(key);
      if (shared !== undefined) return shared;
      // The time of a fetch runs while the fetch waits for its turn. After that time no review waits for it any more, and nothing is fetched.
      const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      const fetched = limit.run(() => read(record, signal), signal).finally(() => underWay.delete(key));
      underWay.set(key, fetched);
      return fetched;
    },
  };
};
