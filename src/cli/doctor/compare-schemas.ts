import { showPath } from '../../text/escape.ts';

/** How the schema of a cluster differs from one's own, by the paths of fields. Descriptions do not count. */
export interface SchemaDrift {
  /** Fields that only one's own has. */
  readonly missing: readonly string[];
  /** Fields that both have, and that take other values. */
  readonly changed: readonly string[];
  /** Fields that only the cluster has: a newer version's, for they are only ever added. */
  readonly added: readonly string[];
}

type Schema = Readonly<Record<string, unknown>>;

/** Deeper than any of Belay's, and far from the stack's end. */
const MAX_DEPTH = 40;

/** What stands below, or is for people alone. */
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

/** Of fields below others that are listed, the uppermost say it all. */
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
