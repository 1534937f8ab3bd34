import { LRUCache } from 'lru-cache';
import type { RecordKind } from '../rules/verdict.ts';
import { type ManifestDocument, parseManifest } from './manifest.ts';
import {
  changedParts,
  decodePayload,
  measurePayload,
  type Payload,
  PayloadError,
  type PayloadSummary,
  summarize,
} from './payload.ts';

/** A job for the worker thread: payloads are decoded off the event loop, and only the answer comes back. `Text` is base64 as it stands in the object. */
export type DecodeJob<Text = string> =
  | { readonly want: 'summary'; readonly kind: RecordKind; readonly payload: Text }
  | { readonly want: 'comparison'; readonly kind: RecordKind; readonly before: Text; readonly after: Text }
  | { readonly want: 'documents'; readonly kind: RecordKind; readonly payload: Text };

/**
 * A payload on its way to the worker: the bytes that its base64 stands for, and a number that no other payload has. The number alone, where
 * the worker may have decoded it before.
 */
export interface SentPayload {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** The answer where the number alone was not enough. */
export const FORGOTTEN = 'forgotten';

class ForgottenError extends Error {}

export interface DecodeResults {
  readonly summary: { readonly summary: PayloadSummary };
  /** `changed` names the parts (chart, config, manifest) that differ; undefined where `before` could not be read. */
  readonly comparison: {
    readonly before: PayloadSummary | undefined;
    readonly after: PayloadSummary;
    readonly changed: readonly string[] | undefined;
  };
  readonly documents: { readonly summary: PayloadSummary; readonly documents: readonly ManifestDocument[] };
}

/** Errors lose their class on the way between threads, so an unreadable payload comes back as a value. */
export type DecodeAnswer<Want extends DecodeJob['want']> =
  | { readonly readable: true; readonly result: DecodeResults[Want] }
  | { readonly readable: false; readonly problem: string };

/** JSON before it was compressed; parsed it takes some times that, and the worker may hold 256 MB. */
const MAX_REMEMBERED_BYTES = 8 * 1024 * 1024;

/** An operation updates one record several times, and what it has stored is what the next comparison starts from. */
const remembered = new LRUCache<string, Payload>({ maxSize: MAX_REMEMBERED_BYTES });

const decodeRemembered = ({ id, bytes }: SentPayload, kind: RecordKind): Payload => {
  const key = `${kind} ${id}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const { payload, bytes: size } = measurePayload(bytesOf(bytes), kind);
  remembered.set(key, payload, { size: Math.max(1, size) });
  return payload;
};

const bytesOf = (bytes: SentPayload['bytes']): Uint8Array => {
  if (bytes === undefined) throw new ForgottenError();
  return bytes;
};

const perform = (job: DecodeJob<SentPayload>): DecodeResults[DecodeJob['want']] => {
  switch (job.want) {
    case 'summary':
      return { summary: summarize(decodeRemembered(job.payload, job.kind)) };
    case 'documents': {
      const payload = decodePayload(bytesOf(job.payload.bytes), job.kind);
      const manifest = typeof payload.manifest === 'string' ? payload.manifest : '';
      return { summary: summarize(payload), documents: parseManifest(manifest) };
    }
    case 'comparison': {
      const after = decodeRemembered(job.after, job.kind);
      try {
        const before = decodeRemembered(job.before, job.kind);
        return { before: summarize(before), after: summarize(after), changed: changedParts(before, after) };
      } catch (error) {
        if (!(error instanceof PayloadError)) throw error;
        return { before: undefined, after: summarize(after), changed: undefined };
      }
    }
  }
};

export default (job: DecodeJob<SentPayload>): DecodeAnswer<DecodeJob['want']> | typeof FORGOTTEN => {
  try {
    return { readable: true, result: perform(job) };
  } catch (error) {
    if (error instanceof PayloadError) return { readable: false, problem: error.message };
    if (error instanceof ForgottenError) return FORGOTTEN;
    throw error;
  }
};
