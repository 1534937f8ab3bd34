import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { Piscina } from 'piscina';
import { createFairQueue, type Rest } from '../kubernetes/fair-queue.ts';
import type { DecodeAnswer, DecodeJob, WorkerReply } from './decode-worker.ts';
import type { StoredPayload } from './record.ts';
import { createTextMemory, type Text, type TextMemory } from './text-memory.ts';

/** Decodes payloads in worker threads, fairly between the namespaces that the records lie in. */
export interface Decoder {
  /**
   * Transfers payloads that are bytes to the worker: they are empty afterwards. Rejects with Overload when too many wait already, and with the
   * signal's reason when that fires. The caller then refuses the write. The worker finishes a job that it has begun, and its answer is dropped.
   */
  run<Want extends DecodeJob['want']>(
    job: Extract<DecodeJob, { want: Want }>,
    namespace: string,
    signal: AbortSignal,
  ): Promise<DecodeAnswer<Want>>;
  /** Jobs that wait for a thread. */
  waiting(): number;
  /** Waits some seconds for the jobs that run. */
  close(): Promise<void>;
}

/**
 * Each thread has a heap of its own: some dozen MiB while it decodes records at their limit. Two threads decode 400 such records a second,
 * which is more than an API server stores. More threads would only cost memory, on a node of 64 cores above all. A single thread would let one
 * namespace's long jobs delay those of all others, so there are two on a single core as well.
 */
const MAX_THREADS = 2;

/**
 * Jobs that wait, in sum and those of one namespace. Each holds up to 2.8 MB (two copies of a record at its limit), hence the bounds of
 * bytes: eleven such jobs in sum and four of one namespace, which are decoded in some 50 ms, or sixty-four of the usual 200 KB.
 */
const WAITING = {
  maxWaiting: 64,
  maxWaitingEach: 32,
  maxWaitingBytes: 32 * 1024 * 1024,
  maxWaitingBytesEach: 12 * 1024 * 1024,
} as const;

/**
 * A job for a record at its limit takes some 5 ms of processor time. After one that takes this long its namespace rests for three times as long, so
 * that costly records take a quarter of a core and not all of one. The next write of such a chart waits for a quarter of a second.
 */
const LONG_MS = 25;
const REST_FACTOR = 3;

/** A small nursery suffices: payloads are bytes outside of the heap, and the parsed objects are large enough for the old generation. */
const NURSERY_MB = 24;

/**
 * No input that is within the bounds (payload.ts, manifest-search.ts) comes near it: test/unit/helm/decoder-memory.test.ts sends the worst. It is
 * there for the case that one does. Then the thread ends, the job is answered with a failure, and the process goes on.
 */
const MAX_HEAP_MB = 256;

/** The longest jobs take some two seconds. The process is given 5 s to end (serve.ts). */
const CLOSE_MS = 4_000;

const workerUrl = (): string =>
  // The bundle has the worker beside belay.js, and the source has it beside this file.
  new URL(import.meta.url.endsWith('.ts') ? './decode-worker.ts' : './decode-worker.js', import.meta.url).href;

const payloadsOf = (job: DecodeJob): readonly StoredPayload[] =>
  job.want === 'comparison' ? [job.before, job.after] : [job.payload];

const sendAll = (job: DecodeJob, send: (payload: StoredPayload) => Text): DecodeJob<Text> =>
  job.want === 'comparison'
    ? { ...job, before: send(job.before), after: send(job.after) }
    : { ...job, payload: send(job.payload) };

/** Settles as the work does, or rejects when the signal fires. The work goes on. */
const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });

/** The function is long, because the threads and what waits for them are its state. */
export const createDecoder = (memory: TextMemory = createTextMemory(), threads = MAX_THREADS): Decoder => {
  // The Dockerfile sets the size of the nursery for the event loop. In a worker that flag would override `resourceLimits`, so it is reset
  // here. The heap of the event loop exists already, and keeps its size.
  setFlagsFromString('--max-semi-space-size=0');
  const pool = new Piscina({
    filename: workerUrl(),
    minThreads: threads,
    maxThreads: threads,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: NURSERY_MB },
  });
  const queue = createFairQueue('payloads', {
    ...WAITING,
    maxRunning: threads,
    maxRunningEach: Math.max(1, threads - 1),
  });
  const running = new Set<Promise<unknown>>();

  const perform = async (job: DecodeJob, rest: Rest): Promise<WorkerReply['answer']> => {
    const transferList: ArrayBuffer[] = [];
    // Bytes are transferred without a copy. A string would be copied twice.
    const sent = sendAll(job, (payload) => {
      const text = typeof payload === 'string' ? memory.hold(Buffer.from(payload)) : payload;
      transferList.push(text.buffer);
      return text;
    });
    // Without the signal: piscina ends a thread whose job is aborted, and a thread that ends in the middle of zlib's work ends the process.
    const replied: Promise<WorkerReply> = pool.run(sent, { transferList });
    const settled = replied.catch(() => undefined);
    running.add(settled);
    try {
      const { answer, texts, tookMs } = await replied;
      if (tookMs >= LONG_MS) rest(tookMs * REST_FACTOR);
      for (const text of texts) memory.free(text);
      return answer;
    } finally {
      running.delete(settled);
    }
  };

  return {
    run: async <Want extends DecodeJob['want']>(
      job: Extract<DecodeJob, { want: Want }>,
      namespace: string,
      signal: AbortSignal,
    ) => {
      const bytes = payloadsOf(job).reduce((sum, payload) => sum + payload.length, 0);
      const answer = await untilAborted(
        queue.run(namespace, (rest) => perform(job, rest), signal, bytes),
        signal,
      );
      return answer as DecodeAnswer<Want>;
    },
    waiting: queue.waiting,
    close: async () => {
      const late = new AbortController();
      await Promise.race([
        Promise.all(running),
        sleep(CLOSE_MS, undefined, { signal: late.signal, ref: false }).catch(() => undefined),
      ]);
      late.abort();
      await pool.destroy();
    },
  };
};
