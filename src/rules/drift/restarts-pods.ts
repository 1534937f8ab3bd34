import { type DriftInput, findDrift } from './find-drift.ts';
import { isMap, own } from './json.ts';

const PATH = ['spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt'];

const restartedAt = (object: unknown): unknown =>
  PATH.reduce((at, key) => (isMap(at) ? own(at, key) : undefined), object);

/**
 * Whether an UPDATE that is no drift makes a controller replace its Pods, as `kubectl rollout restart` does, where the writer may not
 * change the Pod template. A policy may leave the annotation to others.
 */
export const restartsPods = (input: DriftInput): boolean =>
  restartedAt(input.before) !== restartedAt(input.after) && findDrift({ ...input, countsRestart: true }).length > 0;
