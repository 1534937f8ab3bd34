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

/** Bytes are handed over to the worker as they are; a text would be copied twice, which takes longer than to decode it here. */
const toBytes = (job: DecodeJob): DecodeJob<Uint8Array<ArrayBuffer>> =>
  job.want === 'comparison'
    ? { ...job, before: fromBase64(job.before), after: fromBase64(job.after) }
    : { ...job, payload: fromBase64(job.payload) };

/** With a memory of their own, not a part of the pool that Buffers share. */
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text, 'base64'));
  return bytes.subarray(0, bytes.write(text, 'base64'));
};

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
    run: (job, signal) => {
      const sent = toBytes(job);
      const transferList = sent.want === 'comparison' ? [sent.before.buffer, sent.after.buffer] : [sent.payload.buffer];
      return pool.run(sent, { signal, transferList });
    },
    close: () => pool.destroy(),
  };
};
