import { z } from 'zod';
import { quoteText } from '../../text/escape.ts';
import { MAX_REASON_LENGTH } from '../lock-annotations.ts';
import { isTimeZone, parseSchedule, SCHEDULE_PATTERN, TIME_ZONE_PATTERN } from '../schedule.ts';
import { ACTIONS, action, duration, list, quoting, text } from './fields.ts';

const freezeWindow = z
  .strictObject({
    schedule: text(128)
      .regex(SCHEDULE_PATTERN, {
        abort: true,
        ...quoting('is not a cron expression of five fields: minute, hour, day of month, month, day of week'),
      })
      .describe(
        'When it begins: a cron expression of five fields (minute, hour, day of month, month, day of week). A time that a clock change skips is the first moment after it, one that comes twice the first of them. Example: "0 16 * * FRI".',
      ),
    duration: duration({ min: '1s', maxDays: 31 }).describe(
      'For how long: time that passes, also over a clock change. From 1s to 31d. Windows that overlap or adjoin are one. Example: 64h.',
    ),
    timeZone: text(64)
      .regex(TIME_ZONE_PATTERN, { abort: true, ...quoting('is not an IANA time zone such as Europe/Berlin') })
      .refine(isTimeZone, quoting('is not an IANA time zone such as Europe/Berlin'))
      .describe('IANA time zone of the schedule. Example: Europe/Berlin. Default: UTC.')
      .optional(),
    reason: text(MAX_REASON_LENGTH)
      .regex(/\S/, 'is empty; write why, for whoever is refused')
      .describe('Shown to whoever is refused. Example: weekend'),
  })
  .refine(({ schedule, timeZone = 'UTC' }) => !isTimeZone(timeZone) || everStarts(schedule, timeZone), {
    path: ['schedule'],
    error: ({ input }) =>
      `${quoteText(String((input as { schedule: unknown }).schedule))} is not a cron expression of five fields that ever comes true`,
  });

/** A schedule names no year, so it comes true within a few years of any day, or never (30 February). */
const everStarts = (schedule: string, timeZone: string): boolean =>
  parseSchedule(schedule, timeZone)?.nextStart(Date.UTC(2000, 0)) !== undefined;

/** When nothing about a release changes. */
export const freeze = z.strictObject({
  action: action
    .describe(`What happens to a write that a freeze of any kind refuses, by policy or by annotation. ${ACTIONS}`)
    .optional(),
  reason: text(MAX_REASON_LENGTH)
    .regex(/^$|\S/, 'is blank; write why, or leave it out')
    .describe(
      'Set: the releases are frozen, for this reason. Example: "black friday, ask #sre". Default: "", not frozen.',
    )
    .optional(),
  windows: list(freezeWindow, 20).describe('Freezes that come and go by the clock.').optional(),
});
