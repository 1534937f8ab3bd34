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

/** A job for the worker thread: payloads are decoded off the event loop, and only the answer comes back. */
export type DecodeJob<Stored = StoredPayload> =
  | { readonly want: 'summary'; readonly kind: RecordKind; readonly payload: Stored }
  | { readonly want: 'comparison'; readonly kind: RecordKind; readonly before: Stored; readonly after: Stored }
  | { readonly want: 'documents'; readonly kind: RecordKind; readonly payload: Stored };

/** What the other thread gets: the answer, and the memory of texts that are not needed any more. */
export interface SentBack {
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

/** Errors lose their class on the way between threads, so an unreadable payload comes back as a value. */
export type DecodeAnswer<Want extends DecodeJob['want']> =
  | { readonly readable: true; readonly result: DecodeResults[Want] }
  | { readonly readable: false; readonly problem: string };

/** Texts, and JSON before it was compressed; parsed it takes some times that, and the worker may hold 256 MB. */
const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024;

/** Characters by which texts are told apart at first: gzip ends with a checksum and a length. */
const TAIL_CHARACTERS = 64;

interface Decoded {
  readonly text: Text;
  readonly payload: Payload;
}

/** What is not needed any more of this job's texts and of those that were remembered. */
let spare: Text[] = [];

/** An operation updates one record several times, and what it has stored is what the next comparison starts from. */
const remembered = new LRUCache<string, Decoded>({
  maxSize: MAX_REMEMBERED_BYTES,
  dispose: ({ text }) => spare.push(text),
});

/** Decodes a text that it may have decoded before. A digest as key would take longer than to compare the texts. */
const decodeRemembered = (text: Text, kind: RecordKind): Payload => {
  const key = `${kind} ${text.length} ${Buffer.from(text.subarray(-TAIL_CHARACTERS)).toString('latin1')}`;
  const known = remembered.get(key);
  if (known !== undefined && Buffer.compare(known.text, text) === 0) {
    spare.push(text);
    return known.payload;
  }
  const { payload, json } = readPayload(text, kind);
  refuseAmbiguous(payload, json);
  remembered.set(key, { text, payload }, { size: text.buffer.byteLength + json.length });
  return payload;
};

/** What is decoded for its documents is decoded once. */
const decodeOnce = (text: Text, kind: RecordKind): Payload => {
  spare.push(text);
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

export default (job: DecodeJob<Text>): SentBack => {
  spare = [];
  const answer = answerTo(job);
  const sentBack: SentBack = { answer, texts: spare };
  // Piscina's types know a single buffer only.
  return move({
    get [transferableSymbol]() {
      return sentBack.texts.map(({ buffer }) => buffer);
    },
    get [valueSymbol]() {
      return sentBack;
    },
  }) as unknown as SentBack;
};
