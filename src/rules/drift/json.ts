/** An object of plain JSON. Only its own keys count: `__proto__` and `constructor` are keys like any other. */
export type JsonMap = Readonly<Record<string, unknown>>;

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** The value of an own key. Null counts as absent, as it does for the API server. */
export const own = (map: JsonMap, key: string): unknown =>
  Object.hasOwn(map, key) ? (map[key] ?? undefined) : undefined;

/** Whether a value is absent, false, zero or empty, or is a map or list of only such values. */
export const isEmptyValue = (value: unknown, depth = 0): boolean => {
  if (typeof value !== 'object' || value === null) {
    return value === undefined || value === null || value === false || value === 0 || value === '';
  }
  return depth < MAX_RECURSION && Object.values(value).every((child) => isEmptyValue(child, depth + 1));
};

/** Deeper than any object that Kubernetes serves, and far below the limit of the stack. */
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
  // `in` builds no list of keys. JSON has no inherited ones.
  let count = 0;
  for (const key in left) {
    const [a, b] = [(left as JsonMap)[key], (right as JsonMap)[key]];
    // Every object inherits functions, which equal no JSON value, and `__proto__`, which might.
    if ((b === undefined || key === '__proto__') && !Object.hasOwn(right, key)) return false;
    if (a !== b && !deepEqual(a, b, depth + 1)) return false;
    count++;
  }
  for (const _key in right) count--;
  return count === 0;
};

/** Compares without recursion: the API server accepts JSON of ten thousand levels, which is too deep for the stack. */
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
