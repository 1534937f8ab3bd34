import { findAddedFields } from '../../drift/added-fields.ts';
import { splitPointer } from '../../drift/field-owners.ts';
import type { ObjectDrift } from '../../drift/findings.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isList, isMap, own } from '../../rules/drift/json.ts';

/** An object as the chart wants it and as it is in the cluster, prepared for a comparison. */
export interface ShownObject {
  /** Undefined: not shown, because the object with the chart's values could not be worked out. */
  readonly chart: unknown;
  /** Undefined: the object does not exist. */
  readonly live: unknown;
}

/** The API server sets these fields. */
const SERVER_FIELDS = ['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'selfLink', 'uid'];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const withoutServerFields = (object: KubernetesObject): Record<string, unknown> => {
  const { status: _status, ...rest } = object;
  const metadata: Record<string, unknown> = { ...object.metadata };
  for (const field of SERVER_FIELDS) delete metadata[field];
  const annotations = { ...object.metadata?.annotations };
  delete annotations[LAST_APPLIED];
  return { ...rest, metadata: { ...metadata, ...(object.metadata?.annotations && { annotations }) } };
};

/** A copy without the field at this path. */
const without = (value: unknown, [key, ...below]: readonly string[]): unknown => {
  if (key === undefined) return value;
  if (isList(value)) {
    const index = Number(key);
    return below.length === 0 ? value.toSpliced(index, 1) : value.with(index, without(value[index], below));
  }
  if (!isMap(value) || !Object.hasOwn(value, key)) return value;
  if (below.length > 0) return { ...value, [key]: without(own(value, key), below) };
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
};

/** The object with the chart's values, and without the fields that others added. */
const desiredOf = (drift: ObjectDrift, document: KubernetesObject): unknown => {
  const { desired, object, manager, added } = drift;
  const shown = new Set(added.map(({ path }) => path));
  const found = findAddedFields({
    ...{ stored: document, document, live: desired, group: object.group, kind: object.kind, ignore: [], manager },
  }).filter(({ path }) => shown.has(path));
  // From the last to the first, so that the remaining places in a list do not move.
  return found
    .toReversed()
    .reduce<unknown>((value, { pointer }) => without(value, splitPointer(pointer)), withoutServerFields(desired));
};

const HIDDEN = '(hidden)';

/** Hides all values of a Secret. Different texts stand for equal and for different values. */
const maskedPair = (chart: unknown, live: unknown): ShownObject => {
  const mask = (value: unknown, other: unknown, differs: string): unknown => {
    if (!isMap(value)) return value;
    const values = (object: unknown, field: string): Record<string, unknown> => {
      const found = isMap(object) ? own(object, field) : undefined;
      return isMap(found) ? found : {};
    };
    const masked: Record<string, unknown> = { ...value };
    for (const field of ['data', 'stringData']) {
      if (!Object.hasOwn(value, field)) continue;
      const others = values(other, field);
      masked[field] = Object.fromEntries(
        Object.entries(values(value, field)).map(([key, text]) => [
          key,
          Object.hasOwn(others, key) && others[key] !== text ? `(hidden, ${differs})` : HIDDEN,
        ]),
      );
    }
    return masked;
  };
  return { chart: mask(chart, live, "the chart's"), live: mask(live, chart, 'another') };
};

export const toShown = (drift: ObjectDrift, stored: KubernetesObject): ShownObject => {
  const { live, problem, changed, method, object } = drift;
  const isSecret = object.kind === 'Secret' && object.group === '';
  const isKnown = problem === 'missing' || changed.length === 0 || method !== undefined;
  const chart = !isKnown ? undefined : problem === 'missing' ? withoutServerFields(stored) : desiredOf(drift, stored);
  const pair = { chart, live: live === undefined ? undefined : withoutServerFields(live) };
  return isSecret ? maskedPair(pair.chart, pair.live) : pair;
};
