import { showPath } from '../../text/escape.ts';

/** The differences between the schema of a cluster and that of this version, as paths of fields. Descriptions do not count. */
export interface SchemaDrift {
  /** Fields that only this version has. */
  readonly missing: readonly string[];
  /** Fields that both have, with different values allowed. */
  readonly changed: readonly string[];
  /** Fields that only the cluster has. They come from a newer version, because fields are never removed. */
  readonly added: readonly string[];
}

type Schema = Readonly<Record<string, unknown>>;

/** Deeper than any schema of Belay, and far below the limit of the stack. */
const MAX_DEPTH = 40;

/** Keys that contain further fields, and keys that are for people alone. */
const NOT_VALUES: ReadonlySet<string> = new Set([
  'description',
  'properties',
  'items',
  'additionalProperties',
  'default',
]);

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
};

const fieldsOf = (schema: unknown, path: string, into: Map<string, string>, depth = 0): Map<string, string> => {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return into;
  const own = schema as Schema;
  if (path !== '')
    into.set(
      path,
      JSON.stringify(sortKeys(Object.fromEntries(Object.entries(own).filter(([key]) => !NOT_VALUES.has(key))))),
    );
  for (const [name, below] of Object.entries((own.properties ?? {}) as Schema))
    fieldsOf(below, path === '' ? name : `${path}.${name}`, into, depth + 1);
  fieldsOf(own.items, `${path}[]`, into, depth + 1);
  fieldsOf(own.additionalProperties, `${path}.*`, into, depth + 1);
  return into;
};

/** Leaves out fields inside of other listed fields. */
const uppermost = (paths: readonly string[]): readonly string[] =>
  paths
    .filter(
      (path) =>
        !paths.some((other) => path !== other && (path.startsWith(`${other}.`) || path.startsWith(`${other}[`))),
    )
    .map(showPath);

export const compareSchemas = (own: unknown, cluster: unknown): SchemaDrift => {
  const [mine, theirs] = [fieldsOf(own, '', new Map()), fieldsOf(cluster, '', new Map())];
  return {
    missing: uppermost([...mine.keys()].filter((path) => !theirs.has(path))),
    changed: [...mine]
      .filter(([path, text]) => theirs.has(path) && theirs.get(path) !== text)
      .map(([path]) => showPath(path)),
    added: uppermost([...theirs.keys()].filter((path) => !mine.has(path))),
  };
};
