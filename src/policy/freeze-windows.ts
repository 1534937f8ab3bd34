import type { FreezeWindow, Policy } from './policy.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

/** The time in which a freeze window is in force without a break. Runs of one schedule that overlap or adjoin are one period. */
export interface FreezePeriod {
  /** Milliseconds since the epoch. After more than MAX_RUNS runs without a break, the true start lies earlier. */
  readonly startMs: number;
  /** Milliseconds since the epoch; undefined when the next MAX_RUNS runs leave no break. */
  readonly endMs: number | undefined;
}

/** A freeze in force that a policy states. */
export interface PolicyFreeze {
  readonly reason: string;
  /** Milliseconds since the epoch; undefined when it lasts until somebody lifts it, or when its window has no known end. */
  readonly untilMs: number | undefined;
}

/**
 * Runs that are looked at to find the start of a period, and as many to find its end. croner takes about 0.1 ms for each run, and the event
 * loop should not be blocked for more than 10 ms. For a daily window of a day, 50 runs reach 50 days ahead.
 */
const MAX_RUNS = 50;

/** From `fromMs` until before `untilMs` a window is either in force or not. */
interface KnownPeriod {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly open: FreezePeriod | undefined;
}

/** The compiled schedule of each window, and what was last found out about it: every review asks, and the answer changes a few times a week. */
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
    // The first run, of those that begin at whole seconds, that does not end before this run begins.
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
 * The period in force at `nowMs`, which means `startMs <= nowMs < endMs`. A duration is time that passes: 64 h over a clock change are
 * 64 hours, and end at another time of day.
 */
export const windowInForce = (window: FreezeWindow, nowMs: number): FreezePeriod | undefined =>
  knownPeriodAt(window, nowMs).open;

/** When the window's next period begins, milliseconds since the epoch; undefined when no next period is known. */
export const nextWindow = (window: FreezeWindow, nowMs: number): number | undefined => {
  const { open, untilMs } = knownPeriodAt(window, nowMs);
  if (open === undefined) return Number.isFinite(untilMs) ? untilMs : undefined;
  return open.endMs === undefined ? undefined : scheduleOf(window).nextStart(open.endMs);
};

const NONE: readonly PolicyFreeze[] = [];

/** Every freeze in force that the policy states. */
export const policyFreezes = ({ freeze }: Policy, nowMs: number): readonly PolicyFreeze[] => {
  if (freeze.reason === undefined && freeze.windows.length === 0) return NONE;
  const freezes: PolicyFreeze[] = freeze.reason === undefined ? [] : [{ reason: freeze.reason, untilMs: undefined }];
  for (const window of freeze.windows) {
    const open = windowInForce(window, nowMs);
    if (open !== undefined) freezes.push({ reason: window.reason, untilMs: open.endMs });
  }
  return freezes;
};
