/** `--lock-timeout`: it covers the wait alone, however many times one has to wait. */
export interface Patience {
  /** Runs a wait, whose time counts. */
  during<T>(wait: () => Promise<T>): Promise<T>;
  readonly timeoutMs: number;
  /** Waited for so far. */
  waitedMs(): number;
  isOver(): boolean;
}

export const createPatience = (timeoutMs: number, nowMs: () => number): Patience => {
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
