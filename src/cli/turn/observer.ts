/**
 * Finds out which processes are gone. Each process changes a value regularly, and counts as gone when this process has seen its value
 * unchanged for long enough. Only the clock of this process counts, as in client-go's leader election: clocks of two machines may differ.
 * https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 */
export interface Observer {
  /** Notes a value, and returns for how long it has been unchanged. */
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
