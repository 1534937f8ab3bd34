import type { FreezeWindow, Policy } from './policy.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

/** A window that is open. Runs of one schedule that overlap or adjoin are one window. */
export interface FreezePeriod {
  /** Milliseconds since the epoch; of a window that has been open for long, not before what is looked at (see MAX_RUNS). */
  readonly startMs: number;
  /** When it is no longer in force; undefined when no end is in sight (see MAX_RUNS). */
  readonly endMs: number | undefined;
}

/** A freeze that a policy states, in force. */
export interface PolicyFreeze {
  readonly reason: string;
  /** Milliseconds since the epoch; undefined: until somebody lifts it, or no end is in sight. */
  readonly untilMs: number | undefined;
}

/**
 * Runs that are followed one into the other to find where a window begins and where it ends. croner takes about 0.1 ms for each, and
 * an event loop should not stand still for more than 10 ms: for a window of a day that comes daily, that is fifty days ahead.
 */
const MAX_RUNS = 50;

/** What is known of a window from `fromMs` until before `untilMs`: that it is open, or that it is closed. */
interface KnownPeriod {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly open: FreezePeriod | undefined;
}

/** Each window's schedule, and what was last found out: a review asks every time, and the answer changes a few times a week. */
const schedules = new WeakMap<FreezeWindow, Schedule>();
const lastKnownPeriods = new WeakMap<FreezeWindow, KnownPeriod>();

const scheduleOf = (window: FreezeWindow): Schedule => {
  const compiled = schedules.get(window) ?? parseSchedule(window.schedule, window.timeZone);
  if (compiled === undefined) throw new Error('a freeze window has a schedule or a time zone that cannot be read');
  schedules.set(window, compiled);
  return compiled;
};

const findStart = (schedule: Schedule, durationMs: number, lastMs: number): number => {
  let startMs = lastMs;
  for (let runs = 0; runs < MAX_RUNS; runs++) {
    // Starts are whole seconds: the first one that is not over before this one begins.
    const earlierMs = schedule.nextStart(Math.ceil((startMs - durationMs) / 1000) * 1000 - 1000);
    if (earlierMs === undefined || earlierMs >= startMs) break;
    startMs = earlierMs;
  }
  return startMs;
};

const findEnd = (
  schedule: Schedule,
  durationMs: number,
  lastMs: number,
): { readonly coveredUntilMs: number; readonly isEnd: boolean } => {
  let latestMs = lastMs;
  for (let runs = 0; runs < MAX_RUNS; runs++) {
    const laterMs = schedule.lastStart(latestMs + durationMs);
    if (laterMs === undefined || laterMs <= latestMs) return { coveredUntilMs: latestMs + durationMs, isEnd: true };
    latestMs = laterMs;
  }
  return { coveredUntilMs: latestMs + durationMs, isEnd: false };
};

const findKnownPeriod = (window: FreezeWindow, nowMs: number): KnownPeriod => {
  const { durationMs } = window;
  const schedule = scheduleOf(window);
  const lastMs = schedule.lastStart(nowMs);
  if (lastMs === undefined || lastMs + durationMs <= nowMs) {
    const fromMs = lastMs === undefined ? nowMs : lastMs + durationMs;
    return { fromMs, untilMs: schedule.nextStart(nowMs) ?? Number.POSITIVE_INFINITY, open: undefined };
  }
  const startMs = findStart(schedule, durationMs, lastMs);
  const { coveredUntilMs, isEnd } = findEnd(schedule, durationMs, lastMs);
  const open = { startMs, endMs: isEnd ? coveredUntilMs : undefined };
  return { fromMs: startMs, untilMs: coveredUntilMs, open };
};

const knownPeriodAt = (window: FreezeWindow, nowMs: number): KnownPeriod => {
  const known = lastKnownPeriods.get(window);
  if (known !== undefined && known.fromMs <= nowMs && nowMs < known.untilMs) return known;
  const found = findKnownPeriod(window, nowMs);
  lastKnownPeriods.set(window, found);
  return found;
};

/**
 * The window if it is open: in force at `nowMs` exactly when `startMs <= nowMs < endMs`. Durations are time that passes: 64 h over
 * a clock change are 64 hours, and end at another time of day.
 */
export const windowInForce = (window: FreezeWindow, nowMs: number): FreezePeriod | undefined =>
  knownPeriodAt(window, nowMs).open;

/** When the window opens next, milliseconds since the epoch; undefined when it stays open as far as one can see. */
export const nextWindow = (window: FreezeWindow, nowMs: number): number | undefined => {
  const { open, untilMs } = knownPeriodAt(window, nowMs);
  if (open === undefined) return Number.isFinite(untilMs) ? untilMs : undefined;
  return open.endMs === undefined ? undefined : scheduleOf(window).nextStart(open.endMs);
};

const NONE: readonly PolicyFreeze[] = [];

/** Every freeze that the policy states and that is in force. */
export const policyFreezes = ({ freeze }: Policy, nowMs: number): readonly PolicyFreeze[] => {
  if (freeze.reason === undefined && freeze.windows.length === 0) return NONE;
  const freezes: PolicyFreeze[] = freeze.reason === undefined ? [] : [{ reason: freeze.reason, untilMs: undefined }];
  for (const window of freeze.windows) {
    const open = windowInForce(window, nowMs);
    if (open !== undefined) freezes.push({ reason: window.reason, untilMs: open.endMs });
  }
  return freezes;
};
