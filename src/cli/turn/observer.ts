/**
 * Tells who is gone. Each one who takes part changes a value now and then; it counts as gone once this process has seen its value unchanged
 * for long enough, by this process' own clock. Clocks of two machines are never compared, as in client-go's leader election.
 * https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 */
export interface Observer {
  /** Notes a value and tells for how long it has been that, in milliseconds. */
  unchangedMs(key: string, value: string): number;
}

export const createObserver = (nowMs: () => number): Observer => {
  const seen = new Map<string, { readonly value: string; readonly sinceMs: number }>();
  return {
    unchangedMs: (key, value) => {
      const last = seen.get(key);
      if (last?.value === value) return nowMs() - last.sinceMs;
      seen.set(key, { value, sinceMs: nowMs() });
      return 0;
    },
  };
};
