import { parseRecordName } from '../../helm/record.ts';
import { type Api, pathOf } from '../../kubernetes/api.ts';

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

/** Objects on a page, by client-go's default. */
const PAGE_SIZE = 500;

/** Ten pages are 5,000 Events of half a kilobyte or more. More megabytes are not worth a mark in a table. */
const MAX_PAGES = 10;

interface List {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly DriftEvent[];
}

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
    const found: DriftEvent[] = [];
    let next: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = { fieldSelector: `reportingComponent=belay,reason=${reason}`, limit: PAGE_SIZE, continue: next };
      const { items = [], metadata } = await api.request<List>({ path, query, signal });
      found.push(...items);
      next = metadata?.continue || undefined;
      if (next === undefined) return found;
    }
    return undefined;
  };
  try {
    const [detected, resolved] = await Promise.all(['DriftDetected', 'DriftResolved'].map(list));
    return detected && resolved && readDriftEvents([...detected, ...resolved]);
  } catch {
    return undefined;
  }
};
