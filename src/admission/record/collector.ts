import type { UserInfo } from '../../kubernetes/object.ts';

/** The second one collects garbage where the controllers share one user (kube-controller-manager without --use-service-account-credentials). */
const COLLECTORS: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:generic-garbage-collector',
  'system:kube-controller-manager',
]);

/** Whether the user is the garbage collector, which the API server asks about where a record with an owner or in deletion is written. */
export const isCollector = ({ username }: UserInfo): boolean => COLLECTORS.has(username);
