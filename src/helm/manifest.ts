/** The objects that a release's stored manifest lists, read the way Helm reads it back. */
import { parseGoYaml } from './go-yaml.ts';

export interface ManifestDocument {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Empty when the document names none: Helm then uses the release's namespace, if the kind has one at all. */
  readonly namespace: string;
  readonly name: string;
  /** Plain JSON values: it can be posted from a worker thread. */
  readonly document: Record<string, unknown>;
}

/** How a request names an object. `namespace` is empty for cluster-scoped ones. */
export interface ObjectIdentity {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Lists may hold lists. */
const MAX_LIST_DEPTH = 10;

/**
 * Every object in the manifest. A document that cannot be read, or that is no object, is left out; the others stay.
 * The split is Helm's and kubectl's own: a line that begins with `---` (k8s.io/apimachinery `YAMLReader`).
 */
export const parseManifest = (text: string): readonly ManifestDocument[] => {
  const found: ManifestDocument[] = [];
  for (const part of text.replace(/^\uFEFF/, '').split(/^---[ \t]*(?:#.*)?\r?$/m)) {
    if (part.trim() !== '') collect(readPart(part), found, 0);
  }
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

/** Anything with a list of `items` is a list of objects (apimachinery `unstructuredJSONScheme`), whatever its kind. */
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

/** For many look-ups in one manifest: by group, kind and name; the few that differ in namespace share an entry. */
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

/** An index lives as long as the documents it was made of. */
const indexes = new WeakMap<readonly ManifestDocument[], ManifestIndex>();

/**
 * The document of that object, whatever its version. Of several the last one: Helm applies them in order.
 * A list of documents is indexed at its first look-up, and must not change after that.
 */
export const findDocument = (
  documents: readonly ManifestDocument[],
  releaseNamespace: string,
  wanted: ObjectIdentity,
): ManifestDocument | undefined => {
  let index = indexes.get(documents);
  if (index === undefined) {
    index = indexManifest(documents);
    indexes.set(documents, index);
  }
  return index.get(indexKey(wanted))?.findLast((document) => isInNamespace(document, releaseNamespace, wanted));
};

const isInNamespace = (document: ManifestDocument, releaseNamespace: string, wanted: ObjectIdentity): boolean => {
  // The API server fills in a Namespace's own name as the namespace of its reviews.
  if (wanted.namespace === '' || (wanted.group === '' && wanted.kind === 'Namespace')) return true;
  return (document.namespace === '' ? releaseNamespace : document.namespace) === wanted.namespace;
};

/** None of the three may hold a space. */
const indexKey = ({ group, kind, name }: Pick<ObjectIdentity, 'group' | 'kind' | 'name'>): string =>
  `${group} ${kind} ${name}`;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isDeeperThan = (value: unknown, levels: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeperThan(child, levels - 1));
};
