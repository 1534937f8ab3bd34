import { parseTime } from '../../policy/lock-annotations.ts';
import { parseDuration } from '../../text/duration.ts';
import { EXIT, Failure } from '../failure.ts';

export interface UntilOptions {
  /** As `--for 2d`. */
  readonly for?: string;
  /** As `--until 2026-12-01T08:00:00Z`. */
  readonly until?: string;
}

/** The end of a lock, in milliseconds since the epoch. Undefined: no end was given. */
export const readUntil = ({ for: duration, until }: UntilOptions, nowMs: number): number | undefined => {
  if (duration !== undefined && until !== undefined)
    throw new Failure('--for and --until say the same: give one of them', EXIT.usage);
  if (duration !== undefined) {
    const ms = parseDuration(duration);
    if (ms === undefined || ms <= 0)
      throw new Failure(`--for ${duration}: write a duration such as 30m, 8h or 2d`, EXIT.usage);
    return nowMs + ms;
  }
  if (until === undefined) return undefined;
  const ms = parseTime(until) ?? parseDay(until);
  if (ms === undefined)
    throw new Failure(
      `--until ${until}: write a time as RFC 3339 does, such as 2026-12-01T08:00:00Z, or a day, such as 2026-12-01`,
      EXIT.usage,
    );
  if (ms <= nowMs) throw new Failure(`--until ${until} lies in the past`, EXIT.usage);
  return ms;
};

/** A day means its beginning, in the local time zone. */
const parseDay = (text: string): number | undefined => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || parseTime(`${text}T00:00:00Z`) === undefined) return undefined;
  const [year = 0, month = 1, day = 1] = text.split('-').map(Number);
  return new Date(year, month - 1, day).getTime();
};
