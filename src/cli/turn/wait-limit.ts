/** The limit of `--lock-timeout`. It covers the sum of all waits, and not the time of Helm. */
export interface WaitLimit {
  /** Runs a wait, and counts its time. */
  during<T>(wait: () => Promise<T>): Promise<T>;
  readonly timeoutMs: number;
  /** The time of all waits so far. */
  waitedMs(): number;
  isOver(): boolean;
}

export const createWaitLimit = (timeoutMs: number, nowMs: () => number): WaitLimit => {
  let spentMs = 0;
  let beganMs: number | undefined;
  const waitedMs = (): number => spentMs + (beganMs === undefined ? 0 : nowMs() - beganMs);
  return {
    timeoutMs,
    waitedMs,
    isOver: () => waitedMs() >= timeoutMs,
    during: async (wait) => {
      beganMs = nowMs();
      try {
        return await wait();
      } finally {
        spentMs = waitedMs();
        beganMs = undefined;
      }
    },
  };
};
