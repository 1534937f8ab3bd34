/** Plain JSON as it stands in a review. Only own keys count: `__proto__` and `constructor` are keys like any other. */
export type JsonMap = Readonly<Record<string, unknown>>;

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** The value under the key. Null counts as absent, as it does for the API server. */
export const own = (map: JsonMap, key: string): unknown =>
  Object.hasOwn(map, key) ? (map[key] ?? undefined) : undefined;

/** Nothing at all: also `{}` and `[]`, and maps and lists of nothing but such. */
export const isEmptyValue = (value: unknown, depth = 0): boolean => {
  if (typeof value !== 'object' || value === null) {
    return value === undefined || value === null || value === false || value === 0 || value === '';
  }
  return depth < MAX_RECURSION && Object.values(value).every((child) => isEmptyValue(child, depth + 1));
};

/** Deeper than anything that Kubernetes serves, and far from the end of the stack. */
export const MAX_RECURSION = 200;

export const deepEqual = (left: unknown, right: unknown, depth = 0): boolean => {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (depth >= MAX_RECURSION) return deepEqualOnHeap(left, right);
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let index = 0; index < left.length; index++) {
      if (!deepEqual(left[index], right[index], depth + 1)) return false;
    }
    return true;
  }
  if (Array.isArray(right)) return false;
  // `in` makes no list of the keys; JSON has no others than its own.
  let count = 0;
  for (const key in left) {
    const [a, b] = [(left as JsonMap)[key], (right as JsonMap)[key]];
    // What every object inherits are functions, which equal nothing here, but for one.
    if ((b === undefined || key === '__proto__') && !Object.hasOwn(right, key)) return false;
    if (a !== b && !deepEqual(a, b, depth + 1)) return false;
    count++;
  }
  for (const _key in right) count--;
  return count === 0;
};

/** The API server accepts JSON that is ten thousand levels deep, which is too much for the stack. */
const deepEqualOnHeap = (left: object, right: object): boolean => {
  const pairs: [unknown, unknown][] = [[left, right]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [a, b] = pair;
    if (a === b) continue;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(b, key)) return false;
      pairs.push([(a as JsonMap)[key], (b as JsonMap)[key]]);
    }
  }
  return true;
};
