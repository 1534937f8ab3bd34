/** Whether an object does its work by being created, as Jobs and Pods do. A missing one has most likely done its work, and would do it again. */
export const worksByBeingCreated = (group: string, kind: string): boolean =>
  (group === 'batch' && kind === 'Job') || (group === '' && kind === 'Pod');
