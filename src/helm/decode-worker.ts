import { LRUCache } from 'lru-cache';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { refuseAmbiguous } from './ambiguous.ts';
import { type CutPayload, createSameText, cutPayload, textIn } from './cut-payload.ts';
import { type DeleteHook, deleteHooksIn } from './delete-hooks.ts';
import { type HookAccount, hookAccountsIn } from './hook-accounts.ts';
import { textPiecesOf } from './json-string.ts';
import { CostlyManifest, type FoundDocuments, isNamed, searchManifest, type WantedObject } from './manifest-search.ts';
import type { RecordKind } from './names.ts';
import { changedParts, PayloadError, type PayloadSummary, readPayloadText, summarize } from './payload.ts';
import type { StoredPayload } from './record.ts';
import type { Text } from './text-memory.ts';

/** A job for the worker thread. The thread decodes the payloads off the event loop, and sends back only the answer. */
export type DecodeJob<Stored = StoredPayload> =
  | { readonly want: 'summary'; readonly kind: RecordKind; readonly payload: Stored }
  | { readonly want: 'hooks'; readonly kind: RecordKind; readonly payload: Stored }
  | { readonly want: 'comparison'; readonly kind: RecordKind; readonly before: Stored; readonly after: Stored }
  | {
      readonly want: 'documents';
      readonly kind: RecordKind;
      readonly payload: Stored;
      /** Of a manifest that is too large for all of its documents, only those of this object are read. Undefined: all are wanted. */
      readonly wanted: WantedObject | undefined;
    };

/** What the worker sends back: the answer, and the texts that it no longer needs, so that their memory can be used again. */
export interface WorkerReply {
  readonly answer: DecodeAnswer<DecodeJob['want']>;
  readonly texts: readonly Text[];
  /** Processor time of the job. */
  readonly tookMs: number;
}

export interface DecodeResults {
  readonly summary: { readonly summary: PayloadSummary };
  /** `hooks` are those of an uninstall, `accounts` those of all hooks. */
  readonly hooks: {
    readonly summary: PayloadSummary;
    readonly hooks: readonly DeleteHook[];
    readonly accounts: readonly HookAccount[];
  };
  /** `changed` names the parts (chart, config, manifest) that differ; undefined where `before` could not be read. */
  readonly comparison: {
    readonly before: PayloadSummary | undefined;
    readonly after: PayloadSummary;
    readonly changed: readonly string[] | undefined;
  };
  /** `found` is undefined where the manifest cannot be looked through in reasonable time and memory. */
  readonly documents: { readonly summary: PayloadSummary; readonly found: SizedDocuments | undefined };
}

export interface SizedDocuments extends FoundDocuments {
  /** About what the documents hold in memory. */
  readonly heldBytes: number;
}

/** An error loses its class between threads, so the worker returns an unreadable payload as a value. */
export type DecodeAnswer<Want extends DecodeJob['want']> =
  | { readonly readable: true; readonly result: DecodeResults[Want] }
  | { readonly readable: false; readonly problem: string };

/** Bytes of the remembered payloads: texts, long strings, and what is parsed. */
const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024;

/** Last characters of a text, which make its key in the cache. Gzip ends with a checksum and a length, so they nearly always differ. */
const TAIL_CHARACTERS = 64;

/** What the event loop can take over from a thread in some milliseconds. Of a larger manifest it gets the wanted object alone. */
const MAX_POSTED_BYTES = 4 * 1024 * 1024;

interface Decoded {
  readonly text: Text;
  readonly payload: CutPayload;
}

/** Texts that nobody reads any more: from this job, and from payloads that the cache has dropped. */
let doneTexts: Text[] = [];

/** Payloads that nobody reads after this job. */
let donePayloads: CutPayload[] = [];

const drop = ({ text, payload }: Decoded): void => {
  doneTexts.push(text);
  donePayloads.push(payload);
};

/** An operation updates one record several times: the new payload of one comparison is the old payload of the next. */
const decodedPayloads = new LRUCache<string, Decoded>({
  maxSize: MAX_REMEMBERED_BYTES,
  dispose: (decoded) => drop(decoded),
});

const decode = (text: Text, kind: RecordKind): CutPayload => {
  try {
    return cutPayload(readPayloadText(text, kind));
  } catch (error) {
    doneTexts.push(text);
    throw error;
  }
};

/** Decodes a text, or finds it in the cache. The texts are compared in full, which is quicker than a digest for a key. */
const decodeRemembered = (text: Text, kind: RecordKind): CutPayload => {
  const key = `${kind} ${text.length} ${Buffer.from(text.subarray(-TAIL_CHARACTERS)).toString('latin1')}`;
  const known = decodedPayloads.get(key);
  if (known !== undefined && Buffer.compare(known.text, text) === 0) {
    doneTexts.push(text);
    return known.payload;
  }
  const payload = decode(text, kind);
  refuseAmbiguous(payload.payload, payload.members);
  const size = text.buffer.byteLength + payload.heldBytes;
  // The cache takes none that is larger than itself.
  if (size > MAX_REMEMBERED_BYTES) drop({ text, payload });
  else decodedPayloads.set(key, { text, payload }, { size });
  return payload;
};

/** Decodes without the cache: a manifest's documents are asked for once. */
const decodeOnce = (text: Text, kind: RecordKind): CutPayload => {
  const payload = decode(text, kind);
  drop({ text, payload });
  return payload;
};

const summaryOf = (payload: CutPayload): PayloadSummary => summarize(payload.payload, textIn(payload));

const findDocuments = (payload: CutPayload, wanted: WantedObject | undefined): SizedDocuments | undefined => {
  const { manifest } = payload.payload;
  const long = payload.longString(manifest);
  const [pieces, characters] =
    long === undefined
      ? ([() => [textIn(payload)(manifest)], 0] as const)
      : ([() => textPiecesOf(long), long.length] as const);
  try {
    const found = searchManifest(pieces, characters, wanted);
    const heldBytes = sizeOf(found.documents);
    if (wanted === undefined || heldBytes <= MAX_POSTED_BYTES) return { ...found, heldBytes };
    const documents = found.documents.filter((document) => isNamed(document, wanted));
    return { documents, isComplete: false, heldBytes: sizeOf(documents) };
  } catch (error) {
    if (error instanceof CostlyManifest) return undefined;
    throw error;
  }
};

/** About what V8 takes for a value beside its text. */
const BYTES_A_VALUE = 64;

const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return BYTES_A_VALUE + value.length;
  if (typeof value !== 'object' || value === null) return BYTES_A_VALUE;
  let size = BYTES_A_VALUE;
  for (const child of Object.values(value)) size += sizeOf(child);
  return size;
};

const perform = (job: DecodeJob<Text>): DecodeResults[DecodeJob['want']] => {
  switch (job.want) {
    case 'summary':
      return { summary: summaryOf(decodeRemembered(job.payload, job.kind)) };
    case 'hooks': {
      const payload = decodeOnce(job.payload, job.kind);
      const { hooks } = payload.payload;
      const text = textIn(payload);
      return { summary: summaryOf(payload), hooks: deleteHooksIn(hooks, text), accounts: hookAccountsIn(hooks, text) };
    }
    case 'documents': {
      const payload = decodeOnce(job.payload, job.kind);
      return { summary: summaryOf(payload), found: findDocuments(payload, job.wanted) };
    }
    case 'comparison': {
      const after = decodeRemembered(job.after, job.kind);
      try {
        const before = decodeRemembered(job.before, job.kind);
        return {
          before: summaryOf(before),
          after: summaryOf(after),
          changed: changedParts(before.payload, after.payload, createSameText(before, after)),
        };
      } catch (error) {
        if (!(error instanceof PayloadError)) throw error;
        return { before: undefined, after: summaryOf(after), changed: undefined };
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
  donePayloads = [];
  const before = process.threadCpuUsage();
  const answer = answerTo(job);
  for (const payload of donePayloads) payload.free();
  const { user, system } = process.threadCpuUsage(before);
  const reply: WorkerReply = { answer, texts: doneTexts, tookMs: (user + system) / 1000 };
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
