import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { DecodeAnswer, DecodeJob } from './decode-worker.ts';

/** Decodes payloads in worker threads. Rejects when the queue is full or the signal fires: the caller fails closed. */
export interface Decoder {
  run<Want extends DecodeJob['want']>(
    job: Extract<DecodeJob, { want: Want }>,
    signal: AbortSignal,
  ): Promise<DecodeAnswer<Want>>;
  close(): Promise<void>;
}

/** Payloads waiting at most: at 2.6 MB each (two copies of a record at its limit) they hold under 170 MB. */
const MAX_QUEUED = 64;

const workerUrl = (): string =>
  // Bundled, the worker lies beside belay.js; from source, beside this file.
  new URL(import.meta.url.endsWith('.ts') ? './decode-worker.ts' : './decode-worker.js', import.meta.url).href;

export const createDecoder = (threads = Math.max(1, Math.min(4, availableParallelism() - 1))): Decoder => {
  const pool = new Piscina({
    filename: workerUrl(),
    minThreads: 1,
    maxThreads: threads,
    maxQueue: MAX_QUEUED,
    // A gzip bomb that passes the cap on its output, or a deep JSON, ends its worker, not the process.
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  return {
    run: (job, signal) => pool.run(job, { signal }),
    close: () => pool.destroy(),
  };
};
