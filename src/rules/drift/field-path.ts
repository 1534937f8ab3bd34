/** One step from an object's root to a field: a key, or an item of a list. */
export type Step = string | ListItem;

export interface ListItem {
  /** What people know it by: `web`, `80/TCP`. */
  readonly label: string;
  /** Its key in `managedFields`, such as `k:{"name":"web"}`; undefined when the list is not keyed there. */
  readonly managedKey: string | undefined;
  readonly beforeIndex: number | undefined;
  readonly afterIndex: number | undefined;
}

/** `spec.template.spec.containers[web].image`, `metadata.annotations["a.b/c"]` */
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

/** RFC 6901, into the new object, or into the old one where the field is gone. */
export const fieldPointer = (steps: readonly Step[], isGone: boolean): string => {
  let pointer = '';
  for (const step of steps) pointer += `/${typeof step === 'string' ? escapeKey(step) : indexOf(step, isGone)}`;
  return pointer;
};

export const indexOf = ({ beforeIndex, afterIndex }: ListItem, isGone: boolean): number =>
  (isGone ? (beforeIndex ?? afterIndex) : (afterIndex ?? beforeIndex)) ?? 0;

const escapeKey = (key: string): string =>
  key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
