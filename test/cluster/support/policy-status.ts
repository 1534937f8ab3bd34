import type { PolicyStatus } from '../../../src/facts/policy-status.ts';
import type { CommandOptions, CommandResult, ControlPlane } from '../harness/control-plane.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** ReleasePolicies as kubectl writes them, whether they get in or not, and what Belay says of them. */

export const writePolicy = (
  plane: ControlPlane,
  name: string,
  spec: unknown,
  options: CommandOptions = {},
): Promise<CommandResult> => {
  const policy = { apiVersion: 'belay.dev/v1alpha1', kind: 'ReleasePolicy', metadata: { name }, spec };
  return plane.kubectl(['apply', '-f', '-'], { ...options, input: JSON.stringify(policy) });
};

interface StoredPolicy {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly status?: PolicyStatus;
}

const policiesIn = (plane: ControlPlane): Promise<readonly StoredPolicy[]> =>
  plane.api.list<StoredPolicy>('releasepolicy');

/** `True Accepted` and the message, once Belay has looked at the newest version. */
export const readyOf = (plane: ControlPlane, name: string): Promise<{ verdict: string; message: string }> =>
  waitUntil(`the status of policy ${name}`, async () => {
    const policy = (await policiesIn(plane)).find(({ metadata }) => metadata.name === name);
    if (policy?.status?.observedGeneration !== policy?.metadata.generation) return undefined;
    const ready = policy?.status?.conditions.find(({ type }) => type === 'Ready');
    return ready && { verdict: `${ready.status} ${ready.reason}`, message: ready.message };
  });

/** Resolves with what each policy counts when each of these has a count that fits. */
export const waitForCounts = (
  plane: ControlPlane,
  wanted: Readonly<Record<string, (count: number) => boolean>>,
): Promise<Readonly<Record<string, number | undefined>>> =>
  waitUntil('the releases of each policy are counted', async () => {
    const counts = Object.fromEntries(
      (await policiesIn(plane)).map(({ metadata, status }) => [metadata.name, status?.matchedReleases]),
    );
    const fits = Object.entries(wanted).every(([name, fit]) => {
      const count = counts[name];
      return count !== undefined && fit(count);
    });
    return fits ? counts : undefined;
  });
