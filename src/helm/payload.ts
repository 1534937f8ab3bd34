import { gunzipSync } from 'node:zlib';
import type { RecordKind } from './names.ts';

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

/** Larger than zlib's default of 16 KiB, with which a payload near its limit takes dozens of rounds. */
const GUNZIP_CHUNK_BYTES = 256 * 1024;

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

/**
 * Decodes `data.release`: base64 (twice in a Secret), then gzip (which old versions of Helm left out), then JSON. Takes the text, or its
 * bytes in UTF-8. Blocks, so it belongs into a worker.
 */
export const decodePayload = (encoded: string | Uint8Array, kind: RecordKind): Payload =>
  readPayload(encoded, kind).payload;

/** Decodes as `decodePayload` does, and also returns the JSON text. */
export const readPayload = (encoded: string | Uint8Array, kind: RecordKind): { payload: Payload; json: Buffer } => {
  const once = typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : decodeBase64(encoded);
  const bytes = kind === 'Secret' ? decodeBase64(once) : once;
  let json: Buffer = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      json = gunzipSync(bytes, { maxOutputLength: MAX_PAYLOAD_BYTES, chunkSize: GUNZIP_CHUNK_BYTES });
    } catch (error) {
      const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      throw new PayloadError(
        tooLarge ? `decompresses to more than ${MAX_PAYLOAD_BYTES / 1024 / 1024} MiB` : 'is not valid gzip',
      );
    }
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.toString('utf8'));
  } catch {
    throw new PayloadError('is not JSON'); // the parser's own message would quote the payload
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new PayloadError('is not a release');
  }
  return { payload: parsed as Payload, json };
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

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const summarize = (payload: Payload): PayloadSummary => ({
  name: text(payload.name),
  namespace: text(payload.namespace),
  revision: typeof payload.version === 'number' ? payload.version : 0,
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

/** Deep equality. In structs it ignores what another version of Helm changes by encoding them again; in values it ignores nothing. */
const isSame = (left: unknown, right: unknown, reading: Reading): boolean => {
  if (left === right) return true;
  if (reading === 'struct' && isBlank(left) && isBlank(right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => isSame(item, right[index], reading))
    );
  }
  const [a, b] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const at = (map: Record<string, unknown>, key: string): unknown => (Object.hasOwn(map, key) ? map[key] : undefined);
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (reading === 'struct' && TIMES.has(key)) continue;
    const [old, current] = [at(a, key), at(b, key)];
    // The field with a chart's default values may come and go while it is empty. Its content is a user's values.
    const below = key === 'values' && !(isBlank(old) && isBlank(current)) ? 'values' : reading;
    if (!isSame(old, current, below)) return false;
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
export const changedParts = (before: Payload, after: Payload): readonly string[] =>
  (['chart', 'config', 'manifest', 'hooks'] as const).filter((part) => {
    const [old, current] = part === 'hooks' ? [hooksOf(before), hooksOf(after)] : [before[part], after[part]];
    if (isBlank(old) && isBlank(current)) return false;
    return !isSame(old, current, part === 'config' ? 'values' : 'struct');
  });
