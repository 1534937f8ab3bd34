import { availableParallelism } from 'node:os';
import { LRUCache } from 'lru-cache';
import { Piscina } from 'piscina';
import { type DecodeAnswer, type DecodeJob, FORGOTTEN, type SentPayload } from './decode-worker.ts';

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

/** Payloads that are known again, in characters: a few records at their limit, or hundreds of the usual size. */
const MAX_KNOWN_CHARACTERS = 8 * 1024 * 1024;

const sendAll = (job: DecodeJob, send: (text: string) => SentPayload): DecodeJob<SentPayload> =>
  job.want === 'comparison'
    ? { ...job, before: send(job.before), after: send(job.after) }
    : { ...job, payload: send(job.payload) };

/** What is decoded for its documents is decoded once. */
const isRemembered = ({ want }: DecodeJob): boolean => want !== 'documents';

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
  // By the text itself: to look for one costs a comparison with each of the same length, and a digest would cost fifty times that.
  const ids = new LRUCache<string, number>({
    maxSize: MAX_KNOWN_CHARACTERS,
    sizeCalculation: (_id, text) => text.length + 1,
  });
  let lastId = 0;

  const ask = <Answer>(job: DecodeJob, mayBeKnown: boolean, signal: AbortSignal): Promise<Answer> => {
    const transferList: ArrayBuffer[] = [];
    const sent = sendAll(job, (text) => {
      const known = isRemembered(job) ? ids.get(text) : undefined;
      if (known !== undefined && mayBeKnown) return { id: known, bytes: undefined };
      const id = known ?? ++lastId;
      if (isRemembered(job)) ids.set(text, id);
      // Bytes are handed over as they are; a text would be copied twice, which takes longer than to decode its base64 here.
      const bytes = fromBase64(text);
      transferList.push(bytes.buffer);
      return { id, bytes };
    });
    return pool.run(sent, { signal, transferList });
  };

  return {
    run: async <Want extends DecodeJob['want']>(job: Extract<DecodeJob, { want: Want }>, signal: AbortSignal) => {
      const answer = await ask<DecodeAnswer<Want> | typeof FORGOTTEN>(job, true, signal);
      // Another worker has decoded it, or it was long ago.
      return answer === FORGOTTEN ? ask<DecodeAnswer<Want>>(job, false, signal) : answer;
    },
    close: () => pool.destroy(),
  };
};
