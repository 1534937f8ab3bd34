import { Cron } from 'croner';

/** A cron expression in a time zone. All times are milliseconds since the epoch, in whole seconds. */
export interface Schedule {
  /** The latest start at or before `ms`. */
  lastStart(ms: number): number | undefined;
  /** The earliest start after `ms`. */
  nextStart(ms: number): number | undefined;
}

/** Five fields, of numbers, names and what croner knows beyond them (`FRI#2`, `L`); no seconds, years, `@weekly` or dates. */
export const SCHEDULE_PATTERN = /^[0-9A-Za-z*,/#?+-]+( +[0-9A-Za-z*,/#?+-]+){4}$/;

/** An area and a place; Intl would take offsets such as `+02:00` as well, which no summer time ever changes. */
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
 * Undefined when it cannot be read. Where the clock is changed, what was meant is what vixie-cron makes of it: of a time that the clock
 * skips, the first moment after the jump, so that a freeze is never left out because of a clock change; of a time that comes twice,
 * the first. Only where minute or hour is a `*` or a step, whose neighbours are near, skipped times are left out and doubled ones
 * both count. (A jump over midnight, as in Nuuk, leaves its day without the skipped times: croner looks no further than the day.)
 */
export const parseSchedule = (expression: string, timeZone: string): Schedule | undefined => {
  if (!SCHEDULE_PATTERN.test(expression) || !isTimeZone(timeZone)) return undefined;
  let cron: Cron;
  try {
    // Without a function to call it starts no timer.
    cron = new Cron(expression, { mode: '5-part', timezone: timeZone, fixedTimeRule: 'no-wildcard' });
  } catch {
    return undefined;
  }
  return {
    // croner looks strictly before and after, in whole seconds.
    lastStart: (ms) => cron.previousRuns(1, new Date(secondOf(ms) + 1000))[0]?.getTime(),
    nextStart: (ms) => cron.nextRun(new Date(secondOf(ms)))?.getTime(),
  };
};
