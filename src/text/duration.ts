const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration as Go writes it, with `d` for days besides: `1h30m`, `90s`, `2d`. */
export const DURATION_PATTERN = /^([0-9]+(\.[0-9]+)?(ms|[smhd]))+$/;

/** `1h30m` -> 5400000 milliseconds; undefined for text that is not a duration. */
export const parseDuration = (text: string): number | undefined => {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let sumMs = 0;
  for (const [, number, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|[smhd])/g)) {
    sumMs += Number(number) * (UNITS_MS[unit ?? ''] ?? Number.NaN);
  }
  return Number.isFinite(sumMs) ? sumMs : undefined;
};
