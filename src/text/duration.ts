const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h30m`, `90s`, `2d` -> milliseconds, as Go writes durations (and d for days); undefined for anything else. */
export const parseDuration = (text: string): number | undefined => {
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    sum += Number(number) * (UNITS_MS[unit ?? ''] ?? Number.NaN);
  }
  return Number.isFinite(sum) ? sum : undefined;
};
