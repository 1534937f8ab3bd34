import assert from 'node:assert/strict';
import type { ControlPlane } from '../harness/control-plane.ts';

/** How many writes Belay has refused so far, as the API server counts them. */
const countRefusals = async (plane: ControlPlane): Promise<number> => {
  const metrics = await plane.api.text('/metrics');
  return metrics
    .split('\n')
    .filter((line) => line.startsWith('apiserver_admission_webhook_rejection_count{') && line.includes('.belay.dev"'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

/** Runs something in which nothing at all may be refused, whoever does it. */
export const nothingIsRefused = async (plane: ControlPlane, during: () => Promise<void>): Promise<void> => {
  const before = await countRefusals(plane);
  await during();
  assert.equal(await countRefusals(plane), before, 'Belay has refused something');
};
