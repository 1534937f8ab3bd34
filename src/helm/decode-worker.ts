import { LRUCache } from 'lru-cache';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { refuseAmbiguous } from './ambiguous.ts';
import { type ManifestDocument, parseManifest } from './manifest.ts';
import type { RecordKind } from './names.ts';
import {
  changedParts,
  decodePayload,
  type Payload,
  PayloadError,
  type PayloadSummary,
  readPayload,
  summarize,
} from './payload.ts';
import type { StoredPayload } from './record.ts';
import type { Text } from './text-memory.ts';

/** A job for the worker thread. The thread decodes the payloads off the event loop, and sends back only the answer. */
export type DecodeJob<Stored = StoredPayload> =
  | { readonly want: 'summary'; readonly kind: RecordKind; readonly payload: Stored }
  | { readonly want: 'comparison'; readonly kind: RecordKind; readonly before: Stored; readonly after: Stored }
  | { readonly want: 'documents'; readonly kind: RecordKind; readonly payload: Stored };

/** What the worker sends back: the answer, and the texts that it no longer needs, so that their memory can be used again. */
export interface WorkerReply {
  readonly answer: DecodeAnswer<DecodeJob['want']>;
  readonly texts: readonly Text[];
}

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

/** An error loses its class between threads, so the worker returns an unreadable payload as a value. */
export type DecodeAnswer<Want extends DecodeJob['want']> =
  | { readonly readable: true; readonly result: DecodeResults[Want] }
  | { readonly readable: false; readonly problem: string };

/** Bytes of text and JSON behind the remembered payloads. Parsed JSON takes several times its bytes, of a heap of 256 MB (decoder.ts). */
const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024;

/** Last characters of a text, which make its key in the cache. Gzip ends with a checksum and a length, so they nearly always differ. */
const TAIL_CHARACTERS = 64;

interface Decoded {
  readonly text: Text;
  readonly payload: Payload;
}

/** Texts that nobody reads any more: from this job, and from payloads that the cache has dropped. */
let doneTexts: Text[] = [];

/** An operation updates one record several times: the new payload of one comparison is the old payload of the next. */
const decodedPayloads = new LRUCache<string, Decoded>({
  maxSize: MAX_REMEMBERED_BYTES,
  dispose: ({ text }) => doneTexts.push(text),
});

/** Decodes a text, or finds it in the cache. The texts are compared in full, which is quicker than a digest for a key. */
const decodeRemembered = (text: Text, kind: RecordKind): Payload => {
  const key = `${kind} ${text.length} ${Buffer.from(text.subarray(-TAIL_CHARACTERS)).toString('latin1')}`;
  const known = decodedPayloads.get(key);
  if (known !== undefined && Buffer.compare(known.text, text) === 0) {
    doneTexts.push(text);
    return known.payload;
  }
  const { payload, json } = readPayload(text, kind);
  refuseAmbiguous(payload, json);
  decodedPayloads.set(key, { text, payload }, { size: text.buffer.byteLength + json.length });
  return payload;
};

/** Decodes without the cache: a manifest's documents are asked for once. */
const decodeOnce = (text: Text, kind: RecordKind): Payload => {
  doneTexts.push(text);
  return decodePayload(text, kind);
};

const perform = (job: DecodeJob<Text>): DecodeResults[DecodeJob['want']] => {
  switch (job.want) {
    case 'summary':
      return { summary: summarize(decodeRemembered(job.payload, job.kind)) };
    case 'documents': {
      const payload = decodeOnce(job.payload, job.kind);
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

const answerTo = (job: DecodeJob<Text>): DecodeAnswer<DecodeJob['want']> => {
  try {
    return { readable: true, result: perform(job) };
  } catch (error) {
    if (error instanceof PayloadError) return { readable: false, problem: error.message };
    throw error;
  }
};

export default (job: DecodeJob<Text>): WorkerReply => {
  doneTexts = [];
  const answer = answerTo(job);
  const reply: WorkerReply = { answer, texts: doneTexts };
  // Piscina's types allow a single buffer only.
  return move({
    get [transferableSymbol]() {
      return reply.texts.map(({ buffer }) => buffer);
    },
    get [valueSymbol]() {
      return reply;
    },
  }) as unknown as WorkerReply;
};
