import { type Api, pathOf } from '../cluster/api.ts';
import { parseRecordName, type ReleaseRecord } from '../helm/record.ts';

/** What an Event says, as far as it tells of drift. */
interface DriftEvent {
  readonly reason: string;
  readonly lastTimestamp?: string | null;
  readonly involvedObject: { readonly name: string; readonly namespace?: string; readonly uid?: string };
}

/** Releases of which the latest Event says that they have drifted, as `namespace/release`. Only those of stored records count. */
export const readDriftEvents = (
  events: readonly DriftEvent[],
  records: readonly Pick<ReleaseRecord, 'uid'>[],
): ReadonlySet<string> => {
  const uids = new Set(records.map(({ uid }) => uid));
  const latest = new Map<string, { readonly atMs: number; readonly isDrifted: boolean }>();
  for (const { reason, lastTimestamp, involvedObject } of events) {
    const release = parseRecordName(involvedObject.name)?.release;
    if (release === undefined || !uids.has(involvedObject.uid ?? '')) continue;
    const key = `${involvedObject.namespace}/${release}`;
    const isDrifted = reason === 'DriftDetected';
    const atMs = Date.parse(lastTimestamp ?? '') || 0;
    const known = latest.get(key);
    // Events count seconds: of two in the same one, the end comes after the beginning.
    if (known === undefined || atMs > known.atMs || (atMs === known.atMs && !isDrifted))
      latest.set(key, { atMs, isDrifted });
  }
  return new Set([...latest].filter(([, { isDrifted }]) => isDrifted).map(([key]) => key));
};

/**
 * Which releases the sweep has found drifted, by the Events that it keeps on their records: everybody who may `view` a namespace may read
 * them. Without a sweep there are none. Rejects with ApiError.
 */
export const findDriftedReleases = async (
  api: Api,
  namespace: string | undefined,
  records: readonly Pick<ReleaseRecord, 'uid'>[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> => {
  const path = namespace === undefined ? '/api/v1/events' : pathOf('api', 'v1', 'namespaces', namespace, 'events');
  const lists = await Promise.all(
    ['DriftDetected', 'DriftResolved'].map((reason) =>
      api.request<{ items?: readonly DriftEvent[] }>({
        path,
        query: { fieldSelector: `reportingComponent=belay,reason=${reason}` },
        ...(signal && { signal }),
      }),
    ),
  );
  return readDriftEvents(
    lists.flatMap(({ items = [] }) => items),
    records,
  );
};
