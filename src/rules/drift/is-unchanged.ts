import type { KubernetesObject } from '../../kubernetes/object.ts';
import { deepEqual, isMap, type JsonMap } from './json.ts';

const beyondDesiredState: ReadonlySet<string> = new Set(['status', 'metadata']);
const keptByServer: ReadonlySet<string> = new Set(['managedFields', 'resourceVersion', 'generation']);

/** Whether a write leaves desired state and metadata alone: a status update, or a patch that changes nothing. */
export function isUnchanged(before: KubernetesObject, after: KubernetesObject): boolean {
  // What changes is more often a label or an annotation than the rest, and the metadata is smaller.
  const [old, now] = [before.metadata, after.metadata];
  const isSameMetadata = isMap(old) && isMap(now) ? isEqualExcept(keptByServer, old, now) : deepEqual(old, now);
  return isSameMetadata && isEqualExcept(beyondDesiredState, before, after);
}

function isEqualExcept(except: ReadonlySet<string>, left: JsonMap, right: JsonMap): boolean {
  for (const key in left) {
    if (except.has(key)) continue;
    if (!Object.hasOwn(right, key) || !deepEqual(left[key], right[key])) return false;
  }
  for (const key in right) {
    if (!except.has(key) && !Object.hasOwn(left, key)) return false;
  }
  return true;
}
