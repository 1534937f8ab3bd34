import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { createTextMemory, type Text, type TextMemory } from '../admission/text-memory.ts';
import type { DecodeAnswer, DecodeJob, SentBack } from './decode-worker.ts';
import type { StoredPayload } from './record.ts';

/** Decodes payloads in worker threads. Rejects when the queue is full or the signal fires: the caller fails closed. */
export interface Decoder {
  /** Takes payloads that are bytes: they are empty afterwards. */
  run<Want extends DecodeJob['want']>(
    job: Extract<DecodeJob, { want: Want }>,
    signal: AbortSignal,
  ): Promise<DecodeAnswer<Want>>;
  close(): Promise<void>;
}

/** Payloads waiting at most: at 2.8 MB each (two copies of a record at its limit) they hold under 180 MB. */
const MAX_QUEUED = 64;

const workerUrl = (): string =>
  // Bundled, the worker lies beside belay.js; from source, beside this file.
  new URL(import.meta.url.endsWith('.ts') ? './decode-worker.ts' : './decode-worker.js', import.meta.url).href;

const sendAll = (job: DecodeJob, send: (payload: StoredPayload) => Text): DecodeJob<Text> =>
  job.want === 'comparison'
    ? { ...job, before: send(job.before), after: send(job.after) }
    : { ...job, payload: send(job.payload) };

export const createDecoder = (
  memory: TextMemory = createTextMemory(),
  threads = Math.max(1, Math.min(4, availableParallelism() - 1)),
): Decoder => {
  const pool = new Piscina({
    filename: workerUrl(),
    minThreads: 1,
    maxThreads: threads,
    maxQueue: MAX_QUEUED,
    // A gzip bomb that passes the cap on its output, or a deep JSON, ends its worker, not the process.
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  return {
    run: async <Want extends DecodeJob['want']>(job: Extract<DecodeJob, { want: Want }>, signal: AbortSignal) => {
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
    close: () => pool.destroy(),
  };
};
