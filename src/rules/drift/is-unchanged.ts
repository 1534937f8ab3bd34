import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isSameOwnership } from './field-ownership.ts';
import { deepEqual, isMap, type JsonMap } from './json.ts';

const BEYOND_DESIRED_STATE: ReadonlySet<string> = new Set(['status', 'metadata']);
const KEPT_BY_SERVER: ReadonlySet<string> = new Set(['managedFields', 'resourceVersion', 'generation']);

/** Whether a write leaves desired state, metadata and the owners of fields as they are, as an update of the status does. */
export const isUnchanged = (before: KubernetesObject, after: KubernetesObject): boolean => {
  // Metadata comes first: it changes more often than the rest, and is smaller.
  const [old, now] = [before.metadata, after.metadata];
  const isSameMetadata = isMap(old) && isMap(now) ? isEqualExcept(KEPT_BY_SERVER, old, now) : deepEqual(old, now);
  return isSameMetadata && isEqualExcept(BEYOND_DESIRED_STATE, before, after) && isSameOwnership(before, after);
};

const isEqualExcept = (except: ReadonlySet<string>, left: JsonMap, right: JsonMap): boolean => {
  for (const key in left) {
    if (except.has(key)) continue;
    if (!Object.hasOwn(right, key) || !deepEqual(left[key], right[key])) return false;
  }
  for (const key in right) {
    if (!except.has(key) && !Object.hasOwn(left, key)) return false;
  }
  return true;
};
