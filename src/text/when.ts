/** `2026-01-31T12:00:00Z`: in UTC, because the reader and the cluster may be in different time zones. */
export const showTime = (ms: number): string =>
  // A Date goes as far as 8.64e15 ms; beyond that, toISOString throws.
  Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z') : 'an unknown time';

/** `2026-01-31T12:00:00Z (3m ago)`, or `(in 3m)` */
export const showWhen = (ms: number, nowMs: number): string => {
  if (!(Math.abs(ms) <= 8.64e15)) return showTime(ms);
  const distance = showDuration(Math.abs(ms - nowMs));
  return `${showTime(ms)} (${ms > nowMs ? `in ${distance}` : `${distance} ago`})`;
};

/** At most two units, as kubectl shows an age: `42s`, `3m20s`, `5h`, `2d4h`. */
export const showDuration = (durationMs: number): string => {
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return twoUnits(seconds, 60, 'm', 1, 's');
  if (seconds < 86_400) return twoUnits(seconds, 3600, 'h', 60, 'm');
  return twoUnits(seconds, 86_400, 'd', 3600, 'h');
};

const twoUnits = (seconds: number, unit: number, name: string, lesser: number, lesserName: string): string => {
  const whole = Math.floor(seconds / unit);
  const rest = Math.floor((seconds % unit) / lesser);
  return whole < 10 && rest > 0 ? `${whole}${name}${rest}${lesserName}` : `${whole}${name}`;
};
