import { gunzipSync } from 'node:zlib';
import { isGoBase64 } from './go-base64.ts';
import type { RecordKind } from './names.ts';
import { type JsonBounds, type JsonScan, scanJson, type TooCostly } from './scan-json.ts';

/** The parts of a record's payload that a decision needs. Values, templates and manifest are never among them. */
export interface PayloadSummary {
  readonly name: string;
  /** Where the objects live. Some clients store the records in another namespace. */
  readonly namespace: string;
  readonly revision: number;
  readonly status: string;
  /** `info.deleted`, which each start of an uninstall sets anew. */
  readonly deleted: string;
  readonly chartName: string;
  readonly chartVersion: string;
}

/** Thrown for a payload that Helm cannot have written. The message quotes nothing from the payload. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

/**
 * Decompressed size at which decoding stops. A record holds at most 1 MiB of data (the limit of a Secret), which is base64 of gzip.
 * Charts compress about 5:1 to 20:1, so 32 MiB leaves room for them and still stops a gzip bomb (1000:1).
 */
export const MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;

/** Smaller outputs come in one buffer of this size. */
const GUNZIP_CHUNK_BYTES = 256 * 1024;

/**
 * What the JSON of a record may cost. The largest public charts (those of prometheus-community, Argo, DataDog and Grafana, with all their
 * values given once more by the user) hold 5,152 values (kube-prometheus-stack), in 108 KB beside their long strings, 13 deep
 * (enterprise-metrics). The bounds leave room for umbrella charts: 38 times as many values and bytes, and 15 times as deep.
 * Parsed, 200,000 of the most expensive values take 60 MB of the worker's heap (test/unit/helm/decoder-memory.test.ts).
 */
export const PAYLOAD_BOUNDS: JsonBounds = {
  maxValues: 200_000,
  maxDepth: 200,
  maxOtherBytes: 4 * 1024 * 1024,
  longBytes: 1024,
};

const TOO_COSTLY: Readonly<Record<TooCostly, string>> = {
  values: 'holds more than 200000 values',
  depth: 'is nested more than 200 deep',
  bytes: 'holds more than 4 MiB beside its templates and manifest',
};

export interface Payload {
  readonly name?: unknown;
  readonly namespace?: unknown;
  readonly version?: unknown;
  readonly info?: { readonly status?: unknown; readonly deleted?: unknown };
  readonly chart?: { readonly metadata?: { readonly name?: unknown; readonly version?: unknown } };
  readonly config?: unknown;
  readonly manifest?: unknown;
  readonly hooks?: unknown;
}

/** The JSON text of a payload, and what it holds. It is within the bounds, and not parsed yet. */
export interface PayloadText {
  readonly json: Buffer;
  readonly scan: JsonScan;
}

/**
 * Decodes `data.release`: base64 (twice in a Secret), then gzip (which old versions of Helm left out), then JSON. Takes the text, or its
 * bytes in UTF-8. Blocks, so it belongs into a worker.
 */
export const decodePayload = (encoded: string | Uint8Array, kind: RecordKind): Payload =>
  parseRelease(readPayloadText(encoded, kind).json.toString('utf8'));

/** Decodes as `decodePayload` does, up to the JSON text. Throws PayloadError where parsing would cost too much. */
export const readPayloadText = (encoded: string | Uint8Array, kind: RecordKind): PayloadText => {
  const once = typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : decodeBase64(encoded);
  const bytes = kind === 'Secret' ? decodeBase64(once) : once;
  // The base64 around a Secret's data is the API server's own.
  const written = kind === 'Secret' ? once : typeof encoded === 'string' ? Buffer.from(encoded) : encoded;
  if (!isGoBase64(written)) throw new PayloadError('is not valid base64');
  const json = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzip(bytes) : bytes;
  const scan = scanJson(json, PAYLOAD_BOUNDS);
  if (typeof scan === 'string') {
    giveBack(json);
    throw new PayloadError(TOO_COSTLY[scan]);
  }
  return { json, scan };
};

/** Shorter buffers may lie in one that Node shares between many. */
const MIN_OWN_BYTES = 256 * 1024;

/** Frees the memory of a long text at once, and not when the garbage collector comes to it. The text is empty afterwards. */
export const giveBack = ({ buffer }: Buffer): void => {
  if (buffer.byteLength >= MIN_OWN_BYTES && buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
};

/** Throws PayloadError for what is no JSON object. */
export const parseRelease = (json: string): Payload => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new PayloadError('is not JSON'); // the parser's own message would quote the payload
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new PayloadError('is not a release');
  }
  return parsed as Payload;
};

const gunzip = (bytes: Buffer): Buffer => {
  // Gzip ends with the length of its output. In a buffer of that length the output is written once, and not put together of many.
  // A false length costs nothing: memory that is not written takes no room, and a longer output gets further buffers.
  const told = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
  const chunkSize = Math.min(Math.max(told + 1, GUNZIP_CHUNK_BYTES), MAX_PAYLOAD_BYTES + 1);
  try {
    // The types of Node do not know `info`.
    const { buffer, engine } = gunzipSync(bytes, {
      maxOutputLength: MAX_PAYLOAD_BYTES,
      chunkSize,
      info: true,
    }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    // zlib passes over zeros behind the end, and Go does not.
    if (engine.bytesWritten !== bytes.length) throw new PayloadError('is not valid gzip');
    return buffer;
  } catch (error) {
    if (error instanceof PayloadError) throw error;
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new PayloadError(
      isTooLarge ? `decompresses to more than ${MAX_PAYLOAD_BYTES / 1024 / 1024} MiB` : 'is not valid gzip',
    );
  }
};

/** A multiple of four, so that each part of the base64 can be decoded alone. Short strings are cheap to collect. */
const BASE64_PART_CHARACTERS = 64 * 1024;

/** Skips characters that are not base64, as Buffer does. */
const decodeBase64 = (encoded: Uint8Array): Buffer => {
  const text = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
  const decoded = Buffer.allocUnsafe(Math.ceil(text.length / 4) * 3);
  let length = 0;
  for (let start = 0; start < text.length; start += BASE64_PART_CHARACTERS) {
    const part = text.toString('latin1', start, start + BASE64_PART_CHARACTERS);
    const written = decoded.write(part, length, 'base64');
    length += written;
    const isLast = start + part.length === text.length;
    // A character that is not base64 has shifted the rest, so the whole text is decoded at once.
    if (!isLast && written !== (part.length / 4) * 3) return Buffer.from(text.toString('latin1'), 'base64');
  }
  return decoded.subarray(0, length);
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `text` gives the text of a value, where long strings are kept apart (cut-payload.ts). */
export const summarize = (payload: Payload, text: (value: unknown) => string = textOf): PayloadSummary => ({
  name: text(payload.name),
  namespace: text(payload.namespace),
  // Without the sign of -0, which Go does not know.
  revision: typeof payload.version === 'number' ? payload.version + 0 : 0,
  status: text(payload.info?.status),
  deleted: text(payload.info?.deleted),
  chartName: text(payload.chart?.metadata?.name),
  chartVersion: text(payload.chart?.metadata?.version),
});

const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** The times of a chart's files: Helm 4 writes them (pkg/chart/v2/chart.go, pkg/chart/common/file.go), and Helm 3 drops them. */
const TIMES: ReadonlySet<string> = new Set(['modtime', 'schemamodtime']);

/** A Go struct gains and loses empty fields with the version of Helm that encodes it. A user's values do not. */
type Reading = 'struct' | 'values';

/** Whether two strings are the same text. */
type SameText = (left: string, right: string) => boolean;

/** Deep equality. In structs it ignores what another version of Helm changes by encoding them again; in values it ignores nothing. */
const isSame = (left: unknown, right: unknown, reading: Reading, sameText: SameText): boolean => {
  if (typeof left === 'string' && typeof right === 'string') return sameText(left, right);
  if (left === right) return true;
  if (reading === 'struct' && isBlank(left) && isBlank(right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => isSame(item, right[index], reading, sameText))
    );
  }
  const [a, b] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const at = (map: Record<string, unknown>, key: string): unknown => (Object.hasOwn(map, key) ? map[key] : undefined);
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (reading === 'struct' && TIMES.has(key)) continue;
    const [old, current] = [at(a, key), at(b, key)];
    // The field with a chart's default values may come and go while it is empty. Its content is a user's values.
    const below = key === 'values' && !(isBlank(old) && isBlank(current)) ? 'values' : reading;
    if (!isSame(old, current, below, sameText)) return false;
  }
  return true;
};

/**
 * The fields of a hook that only the chart sets. When Helm runs a hook, it notes the time and fills in its default for `delete_policies`
 * (helm.sh/helm/v4/pkg/action/hooks.go, execHook). Some versions of Helm do not know `output_log_policies`.
 */
const HOOK_FIELDS = ['name', 'kind', 'path', 'manifest', 'events', 'weight'] as const;

const hooksOf = ({ hooks }: Payload): unknown =>
  Array.isArray(hooks)
    ? hooks.map((hook: unknown) =>
        typeof hook === 'object' && hook !== null
          ? HOOK_FIELDS.map((field) => (hook as Record<string, unknown>)[field])
          : hook,
      )
    : hooks;

/** Names the parts that differ, of those that never change in a stored revision. */
export const changedParts = (
  before: Payload,
  after: Payload,
  sameText: SameText = (left, right) => left === right,
): readonly string[] =>
  (['chart', 'config', 'manifest', 'hooks'] as const).filter((part) => {
    const [old, current] = part === 'hooks' ? [hooksOf(before), hooksOf(after)] : [before[part], after[part]];
    if (isBlank(old) && isBlank(current)) return false;
    return !isSame(old, current, part === 'config' ? 'values' : 'struct', sameText);
  });
