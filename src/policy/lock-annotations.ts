import type { Freeze, LockSource } from './lock.ts';

/** Annotations as they stand on a record or a Namespace; keys of other tools are ignored. */
export type Annotations = Readonly<Record<string, string>>;

export const FREEZE = 'belay.dev/freeze';
export const FREEZE_UNTIL = 'belay.dev/freeze-until';
/** Written by Belay at the moment of the freeze: the username that the API server authenticated. */
export const FREEZE_BY = 'belay.dev/freeze-by';
export const OPEN = 'belay.dev/open';
export const OPEN_UNTIL = 'belay.dev/open-until';
export const BREAK = 'belay.dev/break';

/** Allowed chart versions; the chart's name is pinned with it. */
export const PIN = 'belay.dev/pin';
export const NO_DOWNGRADE = 'belay.dev/no-downgrade';

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch; undefined when the text is not an RFC 3339 time. */
export const parseTime = (value: string): number | undefined => {
  const ms = RFC3339.test(value) ? Date.parse(value.toUpperCase()) : Number.NaN;
  if (Number.isNaN(ms)) return undefined;
  // Date.parse makes 2 March of 30 February: whoever wrote that meant another day.
  const date = value.slice(0, 10);
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date) ? ms : undefined;
};

/** The freeze that these annotations state, if it is in force. What cannot be read counts as locked. */
export const readFreeze = (
  annotations: Annotations | undefined,
  source: LockSource,
  nowMs: number,
): Freeze | undefined => {
  const reason = annotations?.[FREEZE];
  const until = annotations?.[FREEZE_UNTIL];
  if (annotations === undefined || (reason === undefined && until === undefined)) return undefined;
  const untilMs = until === undefined ? undefined : parseTime(until);
  if (untilMs !== undefined && untilMs <= nowMs) return undefined;
  return { source, reason: reason ?? '', by: annotations[FREEZE_BY], untilMs };
};

export interface Open {
  readonly source: LockSource;
  readonly reason: string;
  readonly untilMs: number;
}

/** Longest maintenance window. While it is open nobody is held to the chart, so that it has to be renewed day by day. */
export const MAX_OPEN_MS = 24 * 3_600_000;

/** The maintenance window that these annotations state, if it is open. What cannot be read, or lasts too long, counts as closed. */
export const readOpen = (annotations: Annotations | undefined, source: LockSource, nowMs: number): Open | undefined => {
  const reason = annotations?.[OPEN];
  const untilMs = parseTime(annotations?.[OPEN_UNTIL] ?? '');
  if (reason === undefined || untilMs === undefined || untilMs <= nowMs || untilMs > nowMs + MAX_OPEN_MS)
    return undefined;
  return { source, reason, untilMs };
};
