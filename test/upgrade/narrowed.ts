/** A schema of a CustomResourceDefinition, or a part of one. */
type Node = { readonly [field: string]: unknown };

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);
const nodeOf = (value: unknown): Node => (isNode(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Limits from above: narrower when smaller, or new. */
const UPPER = ['maximum', 'maxLength', 'maxItems', 'maxProperties'] as const;
/** Limits from below: narrower when greater, or new. */
const LOWER = ['minimum', 'minLength', 'minItems', 'minProperties'] as const;
/** Anything but the same is narrower for some value, or read otherwise. Undefined before and set now included. */
const SAME = [
  'pattern',
  'type',
  'format',
  'multipleOf',
  'uniqueItems',
  'not',
  'oneOf',
  'anyOf',
  'allOf',
  'default',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
] as const;

const rulesOf = (schema: Node): readonly string[] =>
  listOf(schema['x-kubernetes-validations']).map((rule) => String(nodeOf(rule).rule));

/**
 * What the schema before took and the schema after refuses, drops or reads otherwise, as paths with what has changed. Empty when the change is
 * additive: then every object that is stored stays valid and means what it meant, and an old Belay and a new one may run side by side.
 */
export const narrowedBy = (before: Node, after: Node, path: string): readonly string[] => {
  const problems: string[] = [];
  const say = (what: string): void => {
    problems.push(`${path}: ${what}`);
  };
  for (const key of SAME) if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) say(`${key} is another one`);
  for (const key of UPPER) {
    const [was, is] = [before[key], after[key]] as readonly (number | undefined)[];
    if (is !== undefined && (was === undefined || is < was)) say(`${key} is smaller`);
  }
  for (const key of LOWER) {
    const [was, is] = [before[key], after[key]] as readonly (number | undefined)[];
    if (is !== undefined && (was === undefined || is > was)) say(`${key} is greater`);
  }
  if (before.nullable === true && after.nullable !== true) say('null is not taken any more');
  if (after.enum !== undefined) {
    const taken = new Set(listOf(after.enum));
    if (before.enum === undefined) say('only some values are taken now');
    for (const value of listOf(before.enum)) if (!taken.has(value)) say(`the value ${String(value)} is gone`);
  }
  for (const name of listOf(after.required))
    if (!listOf(before.required).includes(name)) say(`${String(name)} is required now`);
  for (const rule of rulesOf(after)) if (!rulesOf(before).includes(rule)) say(`a new rule: ${rule}`);
  const properties = nodeOf(after.properties);
  for (const [name, was] of Object.entries(nodeOf(before.properties))) {
    const is = properties[name];
    if (is === undefined) problems.push(`${path}.${name}: is gone`);
    else problems.push(...narrowedBy(nodeOf(was), nodeOf(is), `${path}.${name}`));
  }
  for (const [key, suffix] of [
    ['items', '[]'],
    ['additionalProperties', '{}'],
  ] as const) {
    if (isNode(before[key]) && isNode(after[key])) problems.push(...narrowedBy(before[key], after[key], path + suffix));
    else if (before[key] !== undefined && after[key] === undefined) say(`${key} is gone`);
  }
  return problems;
};

/** The same for a whole definition: what it is called, and each version that was served. */
export const narrowedDefinition = (before: Node, after: Node): readonly string[] => {
  const [was, is] = [nodeOf(before.spec), nodeOf(after.spec)];
  const problems: string[] = [];
  for (const key of ['group', 'scope'] as const) if (was[key] !== is[key]) problems.push(`${key} is another one`);
  for (const key of ['kind', 'plural', 'singular'] as const)
    if (nodeOf(was.names)[key] !== nodeOf(is.names)[key]) problems.push(`names.${key} is another one`);
  for (const version of listOf(was.versions).map(nodeOf)) {
    const found = listOf(is.versions)
      .map(nodeOf)
      .find(({ name }) => name === version.name);
    const name = String(version.name);
    if (found?.served !== true) problems.push(`${name} is not served any more`);
    else
      problems.push(
        ...narrowedBy(
          nodeOf(nodeOf(version.schema).openAPIV3Schema),
          nodeOf(nodeOf(found.schema).openAPIV3Schema),
          name,
        ),
      );
    if (nodeOf(version.subresources).status !== undefined && nodeOf(found?.subresources).status === undefined)
      problems.push(`${name}: status is no subresource any more`);
  }
  return problems;
};
