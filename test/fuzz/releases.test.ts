import fc from 'fast-check';
import { fuzz } from './fuzz.ts';
import { clusterStep } from './releases/cluster-steps.ts';
import { helmStep } from './releases/helm-steps.ts';
import { lockStep, policyStep } from './releases/lock-steps.ts';
import { objectStep } from './releases/object-steps.ts';
import { recordStep } from './releases/record-steps.ts';
import type { Step } from './releases/step.ts';
import { createWorld, RELEASES, type Rights, USERNAMES } from './releases/world.ts';

const rights: fc.Arbitrary<Rights> = fc.record({
  role: fc.constantFrom('none', 'edit', 'edit', 'admin'),
  verbs: fc.subarray(['lock', 'unlock', 'open', 'break']),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: helmStep },
  { weight: 6, arbitrary: lockStep },
  { weight: 5, arbitrary: objectStep },
  { weight: 5, arbitrary: recordStep },
  { weight: 1, arbitrary: policyStep },
  { weight: 3, arbitrary: clusterStep },
);

const MAX_STEPS = 40;

/** A failure tells in words what was done, in the place of what fast-check would print. */
const asStory = (steps: readonly Step[]) => ({ steps, [fc.toStringMethod]: () => 'told below' });

fuzz(
  'whatever five users write: no frozen release changes, no lock goes without the right to unlock, one operation is in flight',
  [
    fc.array(rights, { minLength: USERNAMES.length, maxLength: USERNAMES.length }),
    fc.array(step, { minLength: 1, maxLength: MAX_STEPS, size: 'max' }).map(asStory),
  ],
  async (given, { steps }) => {
    const world = await createWorld(given);
    const told: string[] = [];
    try {
      const { helm } = world.plane.as('system:serviceaccount:shop:first');
      for (const release of RELEASES) await helm.install(release);
      for (const take of steps) {
        told.push(await take(world));
        if (world.oracle.broken.length > 0) break;
      }
    } catch (error) {
      told.push(`failed: ${(error as Error).stack}`);
      throw new Error(storyOf(given, told, []), { cause: error });
    } finally {
      await world.stop();
    }
    if (world.oracle.broken.length > 0) throw new Error(storyOf(given, told, world.oracle.broken));
  },
  40,
);

const storyOf = (given: readonly Rights[], told: readonly string[], broken: readonly string[]): string =>
  [
    '',
    ...broken.map((what) => `BROKEN: ${what}`),
    ...given.map(
      ({ role, verbs }, index) => `${USERNAMES[index]}: ${role} in shop, and on web ${verbs.join() || 'nothing'}`,
    ),
    'another service account installs web and api, and then',
    ...told.filter((line) => line !== '').map((line, index) => `${index + 1}. ${line}`),
    '',
  ].join('\n');
