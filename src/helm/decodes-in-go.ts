import { isGoBase64 } from './go-base64.ts';
import { fold } from './go-fold.ts';
import { isGoTime } from './go-time.ts';
import { type GoType, RELEASE } from './go-types.ts';

/** Gives the bytes of a long string, for which a short name stands in the payload; undefined for any other value. */
export type LongString = (value: unknown) => Buffer | undefined;

/** Stands in a payload for a number or a time that is not written as Go wants it. */
const MISSPELT = Symbol('misspelt');

const INTEGERS: ReadonlySet<string> = new Set(['version', 'weight', 'rollback_revision']);
const TIMES: ReadonlySet<string> = new Set([
  ...['first_deployed', 'last_deployed', 'deleted', 'started_at', 'completed_at'],
  ...['generated', 'modtime', 'schemamodtime'],
]);

/**
 * Where a payload may be misspelt: an integer with a fraction or an exponent, a time with an escape, and a key with an escape, which may be any. The
 * longest of these keys has 17 letters, which are 102 in escapes. To parse a large chart once more takes twice as long as all the rest of its decoding, and hardly any needs it.
 */
const MAY_BE_MISSPELT = new RegExp(
  [
    String.raw`"(?:${[...INTEGERS].join('|')})"\s*:\s*-?\d+[.eE]`,
    String.raw`"(?:${[...TIMES].join('|')})"\s*:\s*"[^"\\]*\\`,
    String.raw`\\u[0-9A-Fa-f]{4}[^"]{0,102}"\s*:`,
  ].join('|'),
);

/** `1.0` and `1e0` are no integers to Go, and its times know no escapes. JSON.parse makes 1 of the former, and resolves the latter. */
const markMisspelt = (key: string, value: unknown, { source = '' }: { readonly source?: string }): unknown => {
  if (typeof value === 'number') return INTEGERS.has(key) && /[.eE]/.test(source) ? MISSPELT : value;
  if (typeof value === 'string') return TIMES.has(key) && source.includes('\\') ? MISSPELT : value;
  return value;
};

/** The payload with its misspelt values marked. */
export const asWritten = (json: string, payload: unknown): unknown =>
  MAY_BE_MISSPELT.test(json)
    ? (JSON.parse(json, markMisspelt as (key: string, value: unknown) => unknown) as unknown)
    : payload;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const FOLDED = new WeakMap<object, ReadonlyMap<string, string>>();

const foldedOf = (fields: Readonly<Record<string, GoType>>): ReadonlyMap<string, string> => {
  const known = FOLDED.get(fields);
  if (known !== undefined) return known;
  const folded = new Map(Object.keys(fields).map((field) => [fold(field), field]));
  FOLDED.set(fields, folded);
  return folded;
};

/** A JavaScript number beyond a float64 is Infinity, where Go gives up. */
const isAny = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  for (const child of Object.values(value)) if (!isAny(child)) return false;
  return true;
};

const isBytes = (value: unknown, longString: LongString): boolean => {
  if (typeof value !== 'string') return false;
  const long = longString(value);
  if (long === undefined) return isGoBase64(Buffer.from(value, 'utf8'));
  // What stands between the quotes is base64 as it is, but for escapes.
  return isGoBase64(long.includes('\\') ? Buffer.from(JSON.parse(`"${long.toString('utf8')}"`) as string) : long);
};

/**
 * Finds the first value that Go does not decode into Helm's types, and names its place by fields of Helm alone; undefined where all is well. Null
 * is nothing to Go, and so passes; an empty place in a list of structs does not, because Helm stumbles over it.
 */
export const findUndecodable = (
  value: unknown,
  longString: LongString,
  type: GoType = RELEASE,
  place = '',
): string | undefined => {
  if (value === null || value === undefined) return undefined;
  if (typeof type === 'string') return isOf(value, type, longString) ? undefined : place;
  if ('list' in type) {
    if (!Array.isArray(value)) return place;
    const isStruct = typeof type.list === 'object' && 'struct' in type.list;
    for (const item of value as readonly unknown[]) {
      const found =
        isStruct && item === null ? `${place}[]` : findUndecodable(item, longString, type.list, `${place}[]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isObject(value)) return place;
  return 'map' in type
    ? findInMap(value, longString, type.map, place)
    : findInStruct(value, longString, type.struct, place);
};

const findInMap = (
  map: Readonly<Record<string, unknown>>,
  longString: LongString,
  type: GoType,
  place: string,
): string | undefined => {
  for (const child of Object.values(map)) {
    const found = findUndecodable(child, longString, type, place);
    if (found !== undefined) return found;
  }
  return undefined;
};

const findInStruct = (
  struct: Readonly<Record<string, unknown>>,
  longString: LongString,
  fields: Readonly<Record<string, GoType>>,
  place: string,
): string | undefined => {
  for (const [key, child] of Object.entries(struct)) {
    const field = foldedOf(fields).get(fold(key));
    if (field === undefined) continue;
    const below = place === '' ? field : `${place}.${field}`;
    const type = fields[field];
    if (key !== field || type === undefined) return below;
    const found = findUndecodable(child, longString, type, below);
    if (found !== undefined) return found;
  }
  return undefined;
};

const isOf = (value: unknown, type: Extract<GoType, string>, longString: LongString): boolean => {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return Number.isSafeInteger(value);
    case 'any':
      return isAny(value);
    case 'bytes':
      return isBytes(value, longString);
    case 'time':
      return typeof value === 'string' && isGoTime(value);
    case 'time or empty':
      return typeof value === 'string' && (value === '' || isGoTime(value));
    case 'nothing':
      return false;
  }
};
