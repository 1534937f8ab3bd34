import type { Freeze, LockSource } from './lock.ts';

/** The annotations of a record or a Namespace. Keys of other tools are ignored. */
export type Annotations = Readonly<Record<string, string>>;

export const FREEZE = 'belay.dev/freeze';
export const FREEZE_UNTIL = 'belay.dev/freeze-until';
/** The user who froze, by the name that the API server authenticated. Belay writes it together with the freeze. */
export const FREEZE_BY = 'belay.dev/freeze-by';
export const OPEN = 'belay.dev/open';
export const OPEN_UNTIL = 'belay.dev/open-until';
export const BREAK = 'belay.dev/break';

/** A range of chart versions. It also pins the name of the chart. */
export const PIN = 'belay.dev/pin';
export const NO_DOWNGRADE = 'belay.dev/no-downgrade';

/** Longest reason that an annotation or a policy may give. Every denial shows it, and the API server cuts warnings at 4 KiB. */
export const MAX_REASON_LENGTH = 512;

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch; undefined when the text is not an RFC 3339 time. */
export const parseTime = (value: string): number | undefined => {
  const ms = RFC3339.test(value) ? Date.parse(value.toUpperCase()) : Number.NaN;
  if (Number.isNaN(ms)) return undefined;
  // Date.parse reads 30 February as 2 March, which is not the day that was meant.
  const date = value.slice(0, 10);
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date) ? ms : undefined;
};

/** When a freeze ends: never, where its end is missing or cannot be read. */
export const endMs = ({ [FREEZE_UNTIL]: until }: Annotations): number =>
  (until === undefined ? undefined : parseTime(until)) ?? Number.POSITIVE_INFINITY;

/** The freeze that these annotations state, if it is in force. An end that cannot be read counts as no end. */
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

/** A time in which governed objects may be changed by hand (`belay.dev/open`). */
export interface MaintenanceWindow {
  readonly source: LockSource;
  readonly reason: string;
  readonly untilMs: number;
}

/** Longest maintenance window: a day. While it is open, objects may differ from the chart, so it has to be renewed every day. */
export const MAX_OPEN_MS = 24 * 3_600_000;

/** The maintenance window that these annotations state, if it is open. One that cannot be read, or lasts too long, counts as closed. */
export const readMaintenanceWindow = (
  annotations: Annotations | undefined,
  source: LockSource,
  nowMs: number,
): MaintenanceWindow | undefined => {
  const reason = annotations?.[OPEN];
  const untilMs = parseTime(annotations?.[OPEN_UNTIL] ?? '');
  if (reason === undefined || untilMs === undefined || untilMs <= nowMs || untilMs > nowMs + MAX_OPEN_MS)
    return undefined;
  return { source, reason, untilMs };
};
