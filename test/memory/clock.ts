/** The time of a plane in memory. It stands still until a test moves it. */
export interface Clock {
  readonly nowMs: () => number;
  advance(ms: number): void;
  /** Now, or that many milliseconds later, as `metadata` writes a time: in whole seconds. */
  time(laterMs?: number): string;
}

export const createClock = (startMs = Date.parse('2026-11-21T12:00:00Z')): Clock => {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    time: (laterMs = 0) => `${new Date(nowMs + laterMs).toISOString().slice(0, 19)}Z`,
  };
};
