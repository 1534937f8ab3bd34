import { parseSchedule } from '../../../src/policy/schedule.ts';

/**
 * The guide is told on one Friday afternoon, and its commands name times of the days after. They are run by the real clock: each time in
 * them is moved by as much as lies between the two, and what is shown is moved back.
 */
export interface GuideClock {
  toReal(text: string): string;
  toGuide(text: string): string;
}

const GUIDE_NOW_MS = Date.parse('2026-11-20T16:20:00Z');
const MINUTE_MS = 60_000;

const RFC3339 = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** As Helm shows times, in UTC: `Fri Nov 20 16:20:00 2026`. */
const ANSI_C = /[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g;
const WINDOW = /schedule: "([^"]+)"(.*?timeZone: )([\w/]+)/gs;

const toAnsiC = (date: Date): string => {
  const [day, date2 = '', month, year, time] = date.toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${date2.replace(/^0/, ' ')} ${time} ${year}`;
};

/** The schedule of a window that began when the guide says, at the real time: `0 18 * * FRI` may become `1 9 * * TUE`. */
const moveSchedule = (schedule: string, timeZone: string, shiftMs: number): string => {
  const startMs = parseSchedule(schedule, timeZone)?.lastStart(GUIDE_NOW_MS);
  if (startMs === undefined) throw new Error(`${schedule} in ${timeZone} never begins`);
  const parts = new Intl.DateTimeFormat('en', {
    ...{ timeZone, hourCycle: 'h23', weekday: 'short', hour: 'numeric', minute: 'numeric' },
  }).formatToParts(startMs + shiftMs);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${Number(part('minute'))} ${Number(part('hour'))} * * ${part('weekday').toUpperCase()}`;
};

export const createGuideClock = (nowMs: number): GuideClock => {
  // Whole minutes, because cron knows none but those.
  const shiftMs = Math.floor((nowMs - GUIDE_NOW_MS) / MINUTE_MS) * MINUTE_MS;
  const move = (text: string, byMs: number): string =>
    text
      .replaceAll(RFC3339, (time) => {
        const moved = new Date(Date.parse(time) + byMs).toISOString();
        return time.includes('.') ? moved : moved.replace(/\.\d+Z$/, 'Z');
      })
      .replaceAll(ANSI_C, (time) => toAnsiC(new Date(Date.parse(`${time} UTC`) + byMs)));
  return {
    toReal: (text) =>
      move(text, shiftMs).replaceAll(
        WINDOW,
        (_all, schedule: string, between: string, timeZone: string) =>
          `schedule: "${moveSchedule(schedule, timeZone, shiftMs)}"${between}${timeZone}`,
      ),
    toGuide: (text) => move(text, -shiftMs),
  };
};
