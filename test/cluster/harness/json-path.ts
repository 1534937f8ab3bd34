/** One step of a path: `.name`, with `\.` for a dot in the name, `['name']`, `[0]`, or `[*]` for all. */
const STEP = /\.((?:\\.|[^.[\\])+)|\[(\d+)\]|\[(\*)\]|\['([^']*)'\]/y;

/**
 * What kubectl prints for `-o jsonpath={PATH}`, as far as the tests need it: text and numbers as they are, several values with a blank between
 * them, all else as JSON, and nothing for what is not there.
 */
export const jsonPath = (object: unknown, path: string): string => {
  let values: readonly unknown[] = [object];
  for (let position = 0; position < path.length; position = STEP.lastIndex) {
    STEP.lastIndex = position;
    const [step, name, index, all, quoted] = STEP.exec(path) ?? [];
    if (step === undefined) throw new Error(`cannot read ${path.slice(position)} of the path ${path}`);
    const key = index ?? quoted ?? name?.replaceAll(/\\(.)/g, '$1') ?? '';
    values = values
      .flatMap((value) => (all ? Object.values(value ?? {}) : [(value as Record<string, unknown> | null)?.[key]]))
      .filter((value) => value !== undefined && value !== null);
  }
  return values.map((value) => (typeof value === 'object' ? JSON.stringify(inOrder(value)) : String(value))).join(' ');
};

/** kubectl prints the fields of an object in the order of their names. */
const inOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [name, inOrder(field)]);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
};
