import fc from 'fast-check';
import { ended, type Step, who } from './step.ts';
import { NAMESPACE, STALE_AFTER_MS, USERNAMES, type World } from './world.ts';

const passes: fc.Arbitrary<Step> = fc
  .constantFrom(1_000, 15_000, 45_000, STALE_AFTER_MS + 1_000)
  .map((ms) => async (world) => {
    world.plane.clock.advance(ms);
    return `${ms / 1000} s pass`;
  });

const CONTROLLERS = 'system:serviceaccount:kube-system:';

const asController = (world: World, name: string) =>
  world.plane.as(`${CONTROLLERS}${name}`, 'none', ['system:serviceaccounts', 'system:serviceaccounts:kube-system']);

/** Deletes what has owners of which none is there. */
const collects: fc.Arbitrary<Step> = fc.constant(async (world) => {
  const objects = [...world.oracle.stored().values()];
  const uids = new Set(objects.map(({ metadata }) => metadata?.uid));
  const orphans = objects.filter(({ metadata }) => {
    const owners = (metadata?.ownerReferences ?? []) as readonly { readonly uid: string }[];
    return owners.length > 0 && !owners.some(({ uid }) => uids.has(uid));
  });
  for (const { kind = '', metadata } of orphans) {
    await asController(world, 'generic-garbage-collector').delete(`${kind.toLowerCase()}/${metadata?.name}`);
  }
  return orphans.length === 0
    ? ''
    : `the garbage collector deletes ${orphans.map(({ kind, metadata }) => `${kind} ${metadata?.name}`).join(', ')}`;
});

const namespaceGoes: fc.Arbitrary<Step> = who.map((user) => async (world) => {
  const outcome = await world.person(user).delete(`namespace/${NAMESPACE}`);
  return `${USERNAMES[user]} deletes the Namespace: ${ended(outcome)}`;
});

const namespaceChanges: fc.Arbitrary<Step> = fc
  .tuple(who, fc.constantFrom<object>({ labels: { team: 'ops' } }, { annotations: null }, { labels: null }))
  .map(([user, metadata]) => async (world) => {
    const outcome = await world.person(user).patch(`namespace/${NAMESPACE}`, { metadata });
    return `${USERNAMES[user]} patches the Namespace with ${JSON.stringify(metadata)}: ${ended(outcome)}`;
  });

export const clusterStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: passes },
  { weight: 3, arbitrary: collects },
  { weight: 2, arbitrary: namespaceChanges },
  { weight: 1, arbitrary: namespaceGoes },
);
