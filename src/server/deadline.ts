/** The API server waits this long unless the webhook says otherwise (admissionregistration.k8s.io/v1, timeoutSeconds). */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** For the answer to be written, sent and read before the API server gives up. */
const MARGIN_MS = 500;

/** No webhook may wait longer (timeoutSeconds is at most 30). */
const MAX_TIMEOUT_MS = 30_000;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The `timeout` that the API server puts into the URL, a Go duration such as `10s` or `1m30s`; undefined if there is none. */
export const parseTimeoutMs = (url: string): number | undefined => {
  if (url !== latest.url) latest = { url, timeoutMs: parse(url) };
  return latest.timeoutMs;
};

/** A webhook's URL is the same for every review. */
let latest: { readonly url: string; readonly timeoutMs: number | undefined } = { url: '', timeoutMs: undefined };

const parse = (url: string): number | undefined => {
  const text = /[?&]timeout=((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)(?:&|$)/.exec(url)?.[1];
  if (text === undefined) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return totalMs > 0 && totalMs <= MAX_TIMEOUT_MS ? totalMs : undefined;
};

/** When Belay has to have decided; half the time is left to it when that is more than the margin leaves. */
export const deadlineMs = (timeoutMs: number): number => Math.max(timeoutMs - MARGIN_MS, timeoutMs / 2);
