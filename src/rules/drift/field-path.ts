/** One step of a path from the root of an object to a field: a key, or an item of a list. */
export type Step = string | ListItem;

/** An item of a list, in the old object, the new object or both. */
export interface ListItem {
  /** The item's name for people: `web`, `80/TCP`. */
  readonly label: string;
  /** The item's key in `managedFields`, such as `k:{"name":"web"}`; undefined where that has no keys for the list. */
  readonly managedKey: string | undefined;
  readonly beforeIndex: number | undefined;
  readonly afterIndex: number | undefined;
}

/** The path for people: `spec.template.spec.containers[web].image`, `metadata.annotations["a.b/c"]`. */
export const showFieldPath = (steps: readonly Step[]): string => {
  let path = '';
  for (const step of steps) {
    if (typeof step !== 'string')
      path += `[${/^[\w./:-]+$/.test(step.label) ? step.label : JSON.stringify(step.label)}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(step)) path += `[${JSON.stringify(step)}]`;
    else path += path === '' ? step : `.${step}`;
  }
  return path;
};

/** The path as a JSON Pointer (RFC 6901) into the new object, or into the old object where the field is gone. */
export const fieldPointer = (steps: readonly Step[], isGone: boolean): string => {
  let pointer = '';
  for (const step of steps) pointer += `/${typeof step === 'string' ? escapeKey(step) : indexOf(step, isGone)}`;
  return pointer;
};

export const indexOf = ({ beforeIndex, afterIndex }: ListItem, isGone: boolean): number =>
  (isGone ? (beforeIndex ?? afterIndex) : (afterIndex ?? beforeIndex)) ?? 0;

const escapeKey = (key: string): string =>
  key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
