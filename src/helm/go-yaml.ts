/**
 * No npm library reads this dialect: `yaml`, which parses the syntax here, reads values by the specification, and `js-yaml` reads YAML 1.2.
 *
 * YAML as Helm and kubectl read it: sigs.k8s.io/yaml over go-yaml v2, which is YAML 1.1 with exceptions.
 * `on` is true, `0644` is 420, `12:30` and dates stay strings, keys become strings, and the last of duplicate keys counts.
 * Source: go.yaml.in/yaml/v2 `resolve.go` and `decode.go` (mapping, merge), sigs.k8s.io/yaml `convertToJSONableObject`.
 */
import { isAlias, isMap, isScalar, isSeq, type ParsedNode, parseDocument, type Scalar } from 'yaml';

/** Most nodes that the aliases of one document may expand to. From the same number on, go-yaml limits their share of the document. */
const MAX_ALIASED_NODES = 400_000;

/** Ten times as deep as any object that Kubernetes serves, and shallow enough for a structured clone. */
const MAX_DEPTH = 200;

/**
 * The JSON value of one document. Throws where Go refuses the document, and in one case that Go accepts: a flow collection or quoted
 * text that continues at its parent's indentation. The `yaml` package would read wrong values there.
 */
export const parseGoYaml = (text: string): unknown => {
  const document = parseDocument(text, {
    version: '1.1',
    schema: 'failsafe',
    merge: false,
    uniqueKeys: false,
    strict: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  return document.contents === null ? null : new Converter().convert(document.contents, 0).value;
};

/** A value, its number of nodes and its depth, with every alias counted as if it were written out. */
interface Converted {
  readonly value: unknown;
  readonly size: number;
  readonly depth: number;
}

class Converter {
  readonly #anchors = new Map<string, Converted | 'open'>();
  #aliased = 0;

  convert(node: ParsedNode, level: number): Converted {
    if (level > MAX_DEPTH) throw new Error('nested too deeply');
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) throw new Error(`unknown anchor ${node.source}`);
      if (target === 'open') throw new Error(`anchor ${node.source} contains itself`);
      this.#aliased += target.size;
      if (this.#aliased > MAX_ALIASED_NODES) throw new Error('excessive aliasing');
      if (level + target.depth > MAX_DEPTH) throw new Error('nested too deeply');
      return target;
    }
    const { anchor } = node;
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const converted = isMap(node)
      ? this.#map(node.items as unknown as readonly Entry[], level)
      : isSeq(node)
        ? this.#list(node.items as unknown as readonly ParsedNode[], level)
        : { value: scalarValue(node as Scalar.Parsed), size: 1, depth: 0 };
    if (anchor !== undefined) this.#anchors.set(anchor, converted);
    return converted;
  }

  #list(nodes: readonly ParsedNode[], level: number): Converted {
    const items = nodes.map((node) => this.convert(node, level + 1));
    return { value: items.map(({ value }) => value), ...extent(items) };
  }

  /** Goes through the entries in order: as in go-yaml v2, only a later entry overrides a merged one. */
  #map(entries: readonly Entry[], level: number): Converted {
    const value: Record<string, unknown> = {};
    const parts: Converted[] = [];
    for (const entry of entries) {
      if (isMergeKey(entry.key)) {
        const merged = this.#mergeSource(entry.value, level);
        parts.push(...merged);
        for (const { value: source } of merged.toReversed()) {
          for (const [key, inherited] of Object.entries(source as object)) setOwn(value, key, inherited);
        }
        continue;
      }
      const key = keyText(entry.key === null ? null : this.convert(entry.key, level + 1).value);
      const part = entry.value === null ? ABSENT_NODE : this.convert(entry.value, level + 1);
      parts.push(part);
      setOwn(value, key, part.value);
    }
    return { value, ...extent(parts) };
  }

  #mergeSource(node: ParsedNode | null, level: number): readonly Converted[] {
    if (node === null) throw new Error('map merge requires map or sequence of maps as the value');
    const sources = isSeq(node)
      ? (node.items as unknown as readonly ParsedNode[]).map((item) => this.convert(item, level))
      : [this.convert(node, level)];
    for (const { value } of sources) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new Error('map merge requires map or sequence of maps as the value');
      }
    }
    return sources;
  }
}

interface Entry {
  readonly key: ParsedNode | null;
  readonly value: ParsedNode | null;
}

const ABSENT_NODE: Converted = { value: null, size: 1, depth: 0 };

const extent = (parts: readonly Converted[]): { size: number; depth: number } => {
  let size = 1;
  let depth = 0;
  for (const part of parts) {
    size += part.size;
    depth = Math.max(depth, part.depth + 1);
  }
  return { size, depth };
};

/** `__proto__` is a key like any other. */
const setOwn = (target: Record<string, unknown>, key: string, value: unknown): void => {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
};

const isMergeKey = (node: ParsedNode | null): boolean =>
  isScalar(node) && node.source === '<<' && (node.type === 'PLAIN' || node.tag === 'tag:yaml.org,2002:merge');

const keyText = (key: unknown): string => {
  if (key === null || typeof key === 'object') throw new Error('unsupported map key');
  return String(key);
};

const TAG_PREFIX = 'tag:yaml.org,2002:';

const scalarValue = (node: Scalar.Parsed): unknown => {
  const text = node.source;
  const tag = node.tag;
  if (tag === undefined || tag === '') return node.type === 'PLAIN' ? resolvePlain(text) : text;
  if (tag === `${TAG_PREFIX}binary`) return Buffer.from(text.replace(/\s+/g, ''), 'base64').toString();
  if (
    tag === `${TAG_PREFIX}float` ||
    tag === `${TAG_PREFIX}int` ||
    tag === `${TAG_PREFIX}bool` ||
    tag === `${TAG_PREFIX}null`
  ) {
    const value = resolvePlain(text);
    const type = value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;
    if (type === 'number' ? !/float$|int$/.test(tag) : !tag.endsWith(`:${type}`)) {
      throw new Error(`cannot decode ${type} as ${tag}`);
    }
    return value;
  }
  return text;
};

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);

const resolvePlain = (text: string): string | number | boolean | null => {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (/^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/.test(text)) throw new Error(`unsupported value ${text}`);
  if (!/^[-+.0-9]/.test(text)) return text;
  const plain = text.replaceAll('_', '');
  const integer = parseInteger(plain);
  if (integer !== undefined) return integer;
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) {
    const float = Number(plain);
    if (Number.isFinite(float)) return float;
  }
  return text;
};

/** As strconv.ParseInt with base 0, then ParseUint. A number that fits neither int64 nor uint64 is no integer. */
const parseInteger = (plain: string): number | undefined => {
  const [, sign = '', digits = ''] =
    /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/.exec(plain) ?? [];
  if (digits === '') return undefined;
  const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const limit = sign === '-' ? 2n ** 63n : sign === '+' ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  if (magnitude > limit) return undefined;
  return Number(sign === '-' ? -magnitude : magnitude);
};
