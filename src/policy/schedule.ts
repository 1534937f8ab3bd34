import { Cron } from 'croner';

/** A cron expression in a time zone. All times are milliseconds since the epoch, in whole seconds. */
export interface Schedule {
  /** The latest start at or before `ms`. */
  lastStart(ms: number): number | undefined;
  /** The earliest start after `ms`. */
  nextStart(ms: number): number | undefined;
}

/** Five fields of numbers, names and croner's additions (`FRI#2`, `L`). Seconds, years, `@weekly` and dates do not match. */
export const SCHEDULE_PATTERN = /^[0-9A-Za-z*,/#?+-]+( +[0-9A-Za-z*,/#?+-]+){4}$/;

/** An area and a place. Intl also takes offsets such as `+02:00`, which do not follow summer time, so they do not match. */
export const TIME_ZONE_PATTERN = /^[A-Za-z][0-9A-Za-z_+/-]*$/;

export const isTimeZone = (name: string): boolean => {
  try {
    return TIME_ZONE_PATTERN.test(name) && Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
};

const secondOf = (ms: number): number => Math.floor(ms / 1000) * 1000;

/**
 * Compiles a cron expression; undefined when it cannot be read. Clock changes count as in vixie-cron:
 * - A time that the clock skips becomes the first moment after the jump, so that no freeze is left out.
 * - A time that comes twice counts once, the first time.
 * - Where the minute or the hour is a `*` or a step, the next run is near: skipped times are left out, and doubled times count twice.
 * - Where the clock jumps over midnight, as in Nuuk, skipped times are left out: croner looks no further than the day.
 */
export const parseSchedule = (expression: string, timeZone: string): Schedule | undefined => {
  if (!SCHEDULE_PATTERN.test(expression) || !isTimeZone(timeZone)) return undefined;
  let cron: Cron;
  try {
    // Cron starts no timer, because it is given no function to call.
    cron = new Cron(expression, { mode: '5-part', timezone: timeZone, fixedTimeRule: 'no-wildcard' });
  } catch {
    return undefined;
  }
  return {
    // croner looks strictly before and strictly after the given time, in whole seconds.
    lastStart: (ms) => cron.previousRuns(1, new Date(secondOf(ms) + 1000))[0]?.getTime(),
    nextStart: (ms) => cron.nextRun(new Date(secondOf(ms)))?.getTime(),
  };
};
