import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../harness/control-plane.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { succeeds } from './asking.ts';

/** Applies a ReleasePolicy as the administrator, and resolves when Belay says that it is in force. */
export const applyPolicy = async (plane: ControlPlane, name: string, spec: object): Promise<void> => {
  const file = join(plane.dir, `policy-${name}.json`);
  const policy = { apiVersion: 'belay.dev/v1alpha1', kind: 'ReleasePolicy', metadata: { name }, spec };
  await writeFile(file, JSON.stringify(policy));
  succeeds(await plane.kubectl(['apply', '-f', file]));
  await waitUntil(`policy ${name} is ready`, async () => {
    const { metadata, status } = await plane.api.read<{
      readonly metadata: { generation: number };
      readonly status?: { observedGeneration?: number; conditions?: readonly { type: string; status: string }[] };
    }>(`releasepolicy/${name}`);
    const isReady = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
    return (isReady && status?.observedGeneration === metadata.generation) || undefined;
  });
};

export const deletePolicy = async (plane: ControlPlane, name: string): Promise<void> => {
  succeeds(await plane.kubectl(['delete', 'releasepolicy', name]));
};
