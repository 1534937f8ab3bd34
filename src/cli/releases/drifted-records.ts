import { parseRecordName } from '../../helm/record.ts';
import { type Api, pathOf } from '../../kubernetes/api.ts';
import { listSome } from '../../kubernetes/list-all.ts';
import type { Shape } from '../../kubernetes/prune-json.ts';

/** The fields of an Event that tell of drift. */
export interface DriftEvent {
  readonly reason: string;
  readonly lastTimestamp?: string | null;
  readonly involvedObject: { readonly name: string; readonly uid?: string };
}

/** The uids of the records whose latest Event says that their objects have drifted. */
export const readDriftEvents = (events: readonly DriftEvent[]): ReadonlySet<string> => {
  const latest = new Map<string, { readonly atMs: number; readonly isDrifted: boolean }>();
  for (const { reason, lastTimestamp, involvedObject } of events) {
    const { name, uid = '' } = involvedObject;
    if (parseRecordName(name) === undefined) continue;
    const isDrifted = reason === 'DriftDetected';
    const atMs = Date.parse(lastTimestamp ?? '') || 0;
    const known = latest.get(uid);
    // Events have a resolution of one second. Within the same second, the end of a drift comes after its beginning.
    if (known === undefined || atMs > known.atMs || (atMs === known.atMs && !isDrifted))
      latest.set(uid, { atMs, isDrifted });
  }
  return new Set([...latest].filter(([, { isDrifted }]) => isDrifted).map(([uid]) => uid));
};

/** The fields that are read of these take some hundred bytes each. More megabytes are not worth a mark in a table. */
const MAX_EVENTS = 5_000;
const MAX_BYTES = 64 * 1024 * 1024;

const FIELDS: ReadonlySet<string> = new Set(['reason', 'lastTimestamp', 'involvedObject']);
const INVOLVED: ReadonlySet<string> = new Set(['name', 'uid']);

const SHAPE: Shape = (key) => {
  if (!FIELDS.has(key)) return undefined;
  return key === 'involvedObject' ? (field) => (INVOLVED.has(field) ? 'all' : undefined) : 'all';
};

/**
 * The records that the sweep has found drifted, by its Events on them. Every user with the role `view` may read these Events. Without a sweep
 * there are no Events. Undefined: it could not be found out, for any reason, because nothing else depends on it.
 */
export const findDriftedRecords = async (
  api: Api,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> => {
  const path = namespace === undefined ? '/api/v1/events' : pathOf('api', 'v1', 'namespaces', namespace, 'events');
  const list = async (reason: string): Promise<readonly DriftEvent[] | undefined> => {
    const fieldSelector = `reportingComponent=belay,reason=${reason}`;
    const { items, isCut } = await listSome(
      api,
      { path, fieldSelector, shape: SHAPE, maxBytes: MAX_BYTES, signal },
      MAX_EVENTS,
    );
    return isCut ? undefined : (items as unknown as readonly DriftEvent[]);
  };
  try {
    const [detected, resolved] = await Promise.all(['DriftDetected', 'DriftResolved'].map(list));
    return detected && resolved && readDriftEvents([...detected, ...resolved]);
  } catch {
    return undefined;
  }
};
