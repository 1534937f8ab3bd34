import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Piscina } from 'piscina';
import { Overload } from '../kubernetes/overload.ts';
import type { DecodeAnswer, DecodeJob, WorkerReply } from './decode-worker.ts';
import type { StoredPayload } from './record.ts';
import { createTextMemory, type Text, type TextMemory } from './text-memory.ts';

/** Decodes payloads in worker threads. */
export interface Decoder {
  /**
   * Transfers payloads that are bytes to the worker: they are empty afterwards. Rejects with Overload when the queue is full, and with an
   * AbortError when the signal fires. The caller then refuses the write.
   */
  run<Want extends DecodeJob['want']>(
    job: Extract<DecodeJob, { want: Want }>,
    signal: AbortSignal,
  ): Promise<DecodeAnswer<Want>>;
  /** Jobs that wait for a thread. */
  waiting(): number;
  close(): Promise<void>;
}

/** Most jobs that may wait. Each holds up to 2.8 MB (two copies of a record at its limit), so all of them hold under 180 MB. */
const MAX_QUEUED = 64;

/**
 * Each thread has a heap of its own: some dozen MiB while it decodes records at their limit. Two threads decode 400 such records a second,
 * which is more than an API server stores. More threads would only cost memory, on a node of 64 cores above all.
 */
const MAX_THREADS = 2;

/** A small nursery suffices: payloads are bytes outside of the heap, and the parsed objects are large enough for the old generation. */
const NURSERY_MB = 24;

const workerUrl = (): string =>
  // The bundle has the worker beside belay.js, and the source has it beside this file.
  new URL(import.meta.url.endsWith('.ts') ? './decode-worker.ts' : './decode-worker.js', import.meta.url).href;

const sendAll = (job: DecodeJob, send: (payload: StoredPayload) => Text): DecodeJob<Text> =>
  job.want === 'comparison'
    ? { ...job, before: send(job.before), after: send(job.after) }
    : { ...job, payload: send(job.payload) };

export const createDecoder = (
  memory: TextMemory = createTextMemory(),
  threads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
): Decoder => {
  // The Dockerfile sets the size of the nursery for the event loop. In a worker that flag would override `resourceLimits`, so it is reset
  // here. The heap of the event loop exists already, and keeps its size.
  setFlagsFromString('--max-semi-space-size=0');
  const pool = new Piscina({
    filename: workerUrl(),
    minThreads: 1,
    maxThreads: threads,
    maxQueue: MAX_QUEUED,
    // Where a payload exhausts the heap (a gzip bomb below the cap on its output, or deep JSON), the worker ends and the process goes on.
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: NURSERY_MB },
  });
  return {
    run: async <Want extends DecodeJob['want']>(job: Extract<DecodeJob, { want: Want }>, signal: AbortSignal) => {
      if (pool.queueSize >= MAX_QUEUED) throw new Overload(`${MAX_QUEUED} payloads wait to be decoded`);
      const transferList: ArrayBuffer[] = [];
      // Bytes are transferred without a copy. A string would be copied twice.
      const sent = sendAll(job, (payload) => {
        const text = typeof payload === 'string' ? memory.hold(Buffer.from(payload)) : payload;
        transferList.push(text.buffer);
        return text;
      });
      const { answer, texts }: WorkerReply = await pool.run(sent, { signal, transferList });
      for (const text of texts) memory.free(text);
      return answer as DecodeAnswer<Want>;
    },
    waiting: () => pool.queueSize,
    close: () => pool.destroy(),
  };
};
