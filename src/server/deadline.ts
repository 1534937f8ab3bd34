/** How long the API server waits where the webhook sets no time (admissionregistration.k8s.io/v1, timeoutSeconds). */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** Time in which the answer is written, sent and read before the API server gives up. */
const MARGIN_MS = 500;

/** The longest that an API server waits for a webhook (timeoutSeconds is at most 30). */
const MAX_TIMEOUT_MS = 30_000;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The `timeout` that the API server puts into the URL, a Go duration such as `10s` or `1m30s`; undefined if there is none. */
export const parseTimeoutMs = (url: string): number | undefined => {
  if (url !== latest.url) latest = { url, timeoutMs: parse(url) };
  return latest.timeoutMs;
};

/** The last URL that was read: a webhook's URL is the same for every review. */
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

/** When Belay must have decided: a margin before the API server's deadline. Of a short time, Belay has half at least. */
export const deadlineMs = (timeoutMs: number): number => Math.max(timeoutMs - MARGIN_MS, timeoutMs / 2);
