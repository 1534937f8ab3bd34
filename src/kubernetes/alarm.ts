/** A wait that can be cut short. */
export interface Alarm {
  /** Ends the wait under way, or the next one at once. */
  ring(): void;
  /** Resolves after that time, when it rings, or when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const createAlarm = (): Alarm => {
  let rang = false;
  let wakeUp = (): void => {};
  return {
    ring: () => {
      rang = true;
      wakeUp();
    },
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          wakeUp = () => {};
          rang = false;
          resolve();
        };
        const timer = setTimeout(done, rang || signal.aborted ? 0 : ms);
        signal.addEventListener('abort', done);
        wakeUp = done;
      }),
  };
};
