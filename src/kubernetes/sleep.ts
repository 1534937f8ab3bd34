import { setTimeout as sleepOrReject } from 'node:timers/promises';

/** Resolves after that time, or as soon as the signal fires. Never rejects. */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  sleepOrReject(ms, undefined, { signal }).catch(() => undefined);

/** A sleep that its owner can cut short. */
export interface WakeableSleep {
  /** Ends the sleep under way. If there is none, the next one ends at once. */
  wake(): void;
  /** Resolves after that time, at a call of `wake`, or when the signal fires. One sleep at a time. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const createWakeableSleep = (): WakeableSleep => {
  let woken = new AbortController();
  return {
    wake: () => woken.abort(),
    sleep: async (ms, signal) => {
      await sleep(ms, AbortSignal.any([signal, woken.signal]));
      woken = new AbortController();
    },
  };
};
