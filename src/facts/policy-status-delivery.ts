import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { type Api, isConflict, isNotFound, pathOf } from '../kubernetes/api.ts';
import type { ReflectedObject } from '../kubernetes/object.ts';
import { POLICIES_PATH, type PolicyStatus } from './policy-status.ts';
import type { StoredPolicy } from './stored-policy.ts';

/** A status that was sent, and the resourceVersion of the policy after that write. */
interface Sent {
  readonly status: PolicyStatus;
  readonly resourceVersion: string | undefined;
}

/** Writes the status of one policy, and remembers what it has written. */
export const createPolicyStatusDelivery = (api: Api, log: Logger) => {
  /** By uid. A CRD of another version may drop a field of the status. Then Belay must not send the same status for ever. */
  const sent = new Map<string, Sent>();
  /** By uid, so that a failure that lasts is logged once. */
  const failures = new Map<string, string>();

  const write = async ({ object, name, uid }: StoredPolicy, status: PolicyStatus, signal: AbortSignal) => {
    try {
      const written = await api.request<ReflectedObject>({
        method: 'PUT',
        path: `${POLICIES_PATH}${pathOf(name, 'status')}`,
        // `object` has the resourceVersion that was seen, so this status never replaces the status of a newer version.
        body: { ...object, apiVersion: 'belay.dev/v1alpha1', kind: 'ReleasePolicy', status },
        signal,
      });
      sent.set(uid, { status, resourceVersion: written.metadata?.resourceVersion });
      failures.delete(uid);
    } catch (error) {
      if (signal.aborted || isConflict(error) || isNotFound(error)) return;
      const problem = (error as Error).message;
      if (failures.get(uid) !== problem)
        log.warn({ policy: name, err: problem }, 'the status of a policy cannot be written');
      failures.set(uid, problem);
    }
  };

  const isThere = ({ object, uid }: StoredPolicy, status: PolicyStatus): boolean => {
    if (isDeepStrictEqual(object.status, status)) return true;
    const last = sent.get(uid);
    return last?.resourceVersion === object.metadata?.resourceVersion && isDeepStrictEqual(last?.status, status);
  };

  const forgetAllBut = (all: readonly StoredPolicy[]): void => {
    const uids = new Set(all.map(({ uid }) => uid));
    for (const map of [sent, failures]) for (const uid of map.keys()) if (!uids.has(uid)) map.delete(uid);
  };

  return { write, isThere, forgetAllBut };
};
