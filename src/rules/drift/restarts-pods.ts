import { type DriftInput, findDrift } from './find-drift.ts';

/**
 * Whether an UPDATE that is no drift makes a controller replace its Pods, as `kubectl rollout restart` does, where the writer may not
 * change the Pod template. A policy may leave the annotation to others.
 */
export const restartsPods = (input: DriftInput): boolean => findDrift({ ...input, countsRestart: true }).length > 0;
