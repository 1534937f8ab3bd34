import { valueSymbol } from 'piscina';
import decode, { type DecodeAnswer, type DecodeJob, type WorkerReply } from '../../src/helm/decode-worker.ts';
import type { Decoder } from '../../src/helm/decoder.ts';
import type { StoredPayload } from '../../src/helm/record.ts';
import { createTextMemory, type Text } from '../../src/helm/text-memory.ts';

/** Decodes as the workers do, in this thread: a test has no time for a thread to start. Payloads that are bytes are taken just the same. */
export const createDecoderHere = (): Decoder => {
  const memory = createTextMemory();
  const take = (payload: StoredPayload) =>
    typeof payload === 'string'
      ? memory.hold(Buffer.from(payload))
      : structuredClone(payload, { transfer: [payload.buffer] });
  const takeAll = (job: DecodeJob): DecodeJob<Text> =>
    job.want === 'comparison'
      ? { ...job, before: take(job.before), after: take(job.after) }
      : { ...job, payload: take(job.payload) };
  return {
    run: async <Want extends DecodeJob['want']>(
      job: Extract<DecodeJob, { want: Want }>,
      _namespace: string,
      signal: AbortSignal,
    ) => {
      signal.throwIfAborted();
      const moved = decode(takeAll(job)) as unknown as Readonly<Record<symbol, WorkerReply>>;
      return moved[valueSymbol]?.answer as DecodeAnswer<Want>;
    },
    waiting: () => 0,
    close: async () => undefined,
  };
};
