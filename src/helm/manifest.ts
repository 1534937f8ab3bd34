import type { ObjectRef } from '../kubernetes/object.ts';
import { parseGoYaml } from './go-yaml.ts';

/** One object of a release's stored manifest. */
export interface ManifestDocument {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Empty when the document names none. Helm then uses the release's namespace for a namespaced kind. */
  readonly namespace: string;
  readonly name: string;
  /** Plain JSON values, which a worker thread can post. */
  readonly document: Record<string, unknown>;
}

/** Separates the documents. */
export const SEPARATOR = /^---[ \t]*(?:#.*)?\r?$/m;

/** Lists may hold lists: as many levels are read. */
const MAX_LIST_DEPTH = 10;

/**
 * Every object in the manifest. A document that cannot be read, or is no object, is left out.
 * Documents are split as Helm and kubectl split them: at a line that begins with `---` (k8s.io/apimachinery `YAMLReader`).
 */
export const parseManifest = (text: string): readonly ManifestDocument[] => text.split(SEPARATOR).flatMap(documentsOf);

/** The objects in one YAML document: none, one, or the items of a list. */
export const documentsOf = (part: string): readonly ManifestDocument[] => {
  const found: ManifestDocument[] = [];
  const text = part.replace(/^\uFEFF/, '');
  if (text.trim() !== '') collect(readPart(text), found, 0);
  return found;
};

const readPart = (part: string): unknown => {
  if (part.trimStart().startsWith('{')) {
    try {
      const value: unknown = JSON.parse(part);
      return isDeeperThan(value, 200) ? undefined : value;
    } catch {
      // A YAML flow mapping begins with a brace as well.
    }
  }
  try {
    return parseGoYaml(part);
  } catch {
    return undefined;
  }
};

/** A value with a list of `items` is a list of objects, whatever its kind (apimachinery `unstructuredJSONScheme`). */
const collect = (value: unknown, found: ManifestDocument[], depth: number): void => {
  if (!isObject(value) || depth > MAX_LIST_DEPTH) return;
  const { apiVersion, kind, items, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') return;
  if (Array.isArray(items)) {
    for (const item of items) {
      const isBare = isObject(item) && !item.kind && !item.apiVersion;
      collect(isBare ? { ...item, apiVersion, kind: kind.replace(/List$/, '') } : item, found, depth + 1);
    }
    return;
  }
  if (!isObject(metadata) || typeof metadata.name !== 'string' || metadata.name === '') return;
  const slash = apiVersion.indexOf('/');
  found.push({
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
    namespace: typeof metadata.namespace === 'string' ? metadata.namespace : '',
    name: metadata.name,
    document: value,
  });
};

export type ManifestIndex = ReadonlyMap<string, readonly ManifestDocument[]>;

/** Indexes documents by group, kind and name. Documents that differ only in namespace share an entry. */
export const indexManifest = (documents: readonly ManifestDocument[]): ManifestIndex => {
  const index = new Map<string, ManifestDocument[]>();
  for (const document of documents) {
    const key = indexKey(document);
    const entry = index.get(key);
    if (entry === undefined) index.set(key, [document]);
    else entry.push(document);
  }
  return index;
};

/** An index lives as long as its documents. */
const indexes = new WeakMap<readonly ManifestDocument[], ManifestIndex>();

/**
 * The document of an object, whatever its version. Of several documents the last counts, because Helm applies them in order.
 * The first look-up indexes the list of documents, which must not change after that.
 */
export const findDocument = (
  documents: readonly ManifestDocument[],
  releaseNamespace: string,
  wanted: ObjectRef,
): ManifestDocument | undefined => {
  let index = indexes.get(documents);
  if (index === undefined) {
    index = indexManifest(documents);
    indexes.set(documents, index);
  }
  return index.get(indexKey(wanted))?.findLast((document) => isInNamespace(document, releaseNamespace, wanted));
};

const isInNamespace = (document: ManifestDocument, releaseNamespace: string, wanted: ObjectRef): boolean => {
  // The API server reviews a Namespace with its own name as its namespace.
  if (wanted.namespace === '' || (wanted.group === '' && wanted.kind === 'Namespace')) return true;
  return (document.namespace === '' ? releaseNamespace : document.namespace) === wanted.namespace;
};

/** No group, kind or name holds a space. */
const indexKey = ({ group, kind, name }: Pick<ObjectRef, 'group' | 'kind' | 'name'>): string =>
  `${group} ${kind} ${name}`;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isDeeperThan = (value: unknown, levels: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeperThan(child, levels - 1));
};
