import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Piscina } from 'piscina';
import { Overload } from '../kubernetes/overload.ts';
import type { DecodeAnswer, DecodeJob, SentBack } from './decode-worker.ts';
import type { StoredPayload } from './record.ts';
import { createTextMemory, type Text, type TextMemory } from './text-memory.ts';

/** Decodes payloads in worker threads. Rejects with Overload when the queue is full, and when the signal fires: the caller fails closed. */
export interface Decoder {
  /** Takes payloads that are bytes: they are empty afterwards. */
  run<Want extends DecodeJob['want']>(
    job: Extract<DecodeJob, { want: Want }>,
    signal: AbortSignal,
  ): Promise<DecodeAnswer<Want>>;
  /** Jobs that wait for a thread. */
  waiting(): number;
  close(): Promise<void>;
}

/** Payloads waiting at most: at 2.8 MB each (two copies of a record at its limit) they hold under 180 MB. */
const MAX_QUEUED = 64;

/**
 * Each holds a heap of its own, of some dozen MiB when it is busy with records at their limit. Two of them decode 400 of those a second, more
 * than an API server stores; and on a node of 64 cores Belay must not take more memory than on one of two.
 */
const MAX_THREADS = 2;

/** Payloads are bytes outside of the heap, and what is parsed of them goes to the old generation: a thread needs a small nursery only. */
const NURSERY_MB = 24;

const workerUrl = (): string =>
  // Bundled, the worker lies beside belay.js; from source, beside this file.
  new URL(import.meta.url.endsWith('.ts') ? './decode-worker.ts' : './decode-worker.js', import.meta.url).href;

const sendAll = (job: DecodeJob, send: (payload: StoredPayload) => Text): DecodeJob<Text> =>
  job.want === 'comparison'
    ? { ...job, before: send(job.before), after: send(job.after) }
    : { ...job, payload: send(job.payload) };

export const createDecoder = (
  memory: TextMemory = createTextMemory(),
  threads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
): Decoder => {
  // The nursery that Belay is started with (Dockerfile) is for the event loop. The flag would go before the limits of each thread: from here
  // on it is as if it had not been given, and what is running already stays as it is.
  setFlagsFromString('--max-semi-space-size=0');
  const pool = new Piscina({
    filename: workerUrl(),
    minThreads: 1,
    maxThreads: threads,
    maxQueue: MAX_QUEUED,
    // A gzip bomb that passes the cap on its output, or a deep JSON, ends its worker, not the process.
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: NURSERY_MB },
  });
  return {
    run: async <Want extends DecodeJob['want']>(job: Extract<DecodeJob, { want: Want }>, signal: AbortSignal) => {
      if (pool.queueSize >= MAX_QUEUED) throw new Overload(`${MAX_QUEUED} payloads wait to be decoded`);
      const transferList: ArrayBuffer[] = [];
      // Bytes are handed over as they are; a string would be copied twice.
      const sent = sendAll(job, (payload) => {
        const text = typeof payload === 'string' ? memory.hold(Buffer.from(payload)) : payload;
        transferList.push(text.buffer);
        return text;
      });
      const { answer, texts }: SentBack = await pool.run(sent, { signal, transferList });
      for (const text of texts) memory.free(text);
      return answer as DecodeAnswer<Want>;
    },
    waiting: () => pool.queueSize,
    close: () => pool.destroy(),
  };
};
