/** Jobs and Pods do their work by being created: one that is gone has most likely done it, and would do it again. */
export const worksByBeingCreated = (group: string, kind: string): boolean =>
  (group === 'batch' && kind === 'Job') || (group === '' && kind === 'Pod');
