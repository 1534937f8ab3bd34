import fc from 'fast-check';
import { ended, nameOf, recordAt, release, type Step, who } from './step.ts';
import { NAMESPACE, USERNAMES } from './world.ts';

type Annotations = Readonly<Record<string, string | null>>;

const FREEZE = 'belay.dev/freeze';
const UNTIL = 'belay.dev/freeze-until';

/** What is written, with times in seconds from now. */
const locks: fc.Arbitrary<(at: (seconds: number) => string) => Annotations> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('audit', 'black friday').map((reason) => () => ({ [FREEZE]: reason })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('audit', 'short'), fc.constantFrom(20, 3600))
      .map(([reason, seconds]) => (at: (seconds: number) => string) => ({ [FREEZE]: reason, [UNTIL]: at(seconds) })),
  },
  fc.constantFrom(10, 7200).map((seconds) => (at: (seconds: number) => string) => ({ [UNTIL]: at(seconds) })),
  fc.constant(() => ({ [UNTIL]: null })),
  fc.constant(() => ({ [FREEZE]: null })),
  fc.constant(() => ({ [FREEZE]: null, [UNTIL]: null, 'belay.dev/freeze-by': null })),
  fc.constantFrom('ana', 'eve').map((by) => () => ({ [FREEZE]: 'mine', 'belay.dev/freeze-by': by })),
  { weight: 3, arbitrary: fc.constantFrom('1.4.0', '1.x', '>=1.5.0').map((pin) => () => ({ 'belay.dev/pin': pin })) },
  fc.constant(() => ({ 'belay.dev/pin': null })),
  fc.constantFrom('true', null).map((value) => () => ({ 'belay.dev/no-downgrade': value })),
  fc.constant((at: (seconds: number) => string) => ({ 'belay.dev/open': 'repair', 'belay.dev/open-until': at(600) })),
  fc.constant(() => ({ 'belay.dev/open': null, 'belay.dev/open-until': null })),
  { weight: 2, arbitrary: fc.constantFrom('true', null).map((value) => () => ({ 'belay.dev/break': value })) },
);

const where = fc.oneof(
  { weight: 3, arbitrary: fc.nat(2) },
  { weight: 3, arbitrary: fc.constant('all' as const) },
  { weight: 1, arbitrary: fc.constant('namespace' as const) },
);

/** Everything that is written on a record or the Namespace goes by a patch, or by a whole object in its place. */
export const lockStep: fc.Arbitrary<Step> = fc
  .tuple(who, release, where, locks, fc.boolean())
  .map(([user, name, place, write, whole]) => async (world) => {
    const { clock } = world.plane;
    const annotations = write((seconds) => clock.time(seconds * 1000));
    const records = [0, 1, 2, 3].map((back) => recordAt(world, name, back)).filter((record) => record !== undefined);
    const names =
      place === 'namespace'
        ? [`namespace/${NAMESPACE}`]
        : (place === 'all' ? records : records.slice(place, place + 1)).map(nameOf);
    const person = world.person(user);
    const outcomes: string[] = [];
    for (const object of names) {
      if (whole && place !== 'namespace') {
        const stored = await person.get(object);
        const merged = Object.entries({ ...stored.metadata?.annotations, ...annotations }).filter(
          ([, value]) => value !== null,
        );
        const metadata = { ...stored.metadata, annotations: Object.fromEntries(merged) as Record<string, string> };
        outcomes.push(`${object} ${ended(await person.replace({ ...stored, metadata }))}`);
      } else outcomes.push(`${object} ${ended(await person.annotate(object, annotations))}`);
    }
    if (outcomes.length === 0) return '';
    return `${USERNAMES[user]} ${whole ? 'replaces' : 'annotates'} with ${JSON.stringify(annotations)}: ${outcomes.join(', ')}`;
  });

const POLICIES = [
  null,
  { freeze: { reason: 'code freeze' } },
  { freeze: { action: 'Warn' } },
  { operations: { action: 'Warn' } },
  { drift: { action: 'Off' } },
  { drift: { serviceAccounts: 'AllFields' } },
] as const;

/** By an administrator of the cluster, who may. */
export const policyStep: fc.Arbitrary<Step> = fc.constantFrom(...POLICIES).map((spec) => async (world) => {
  const isThere = world.oracle.stored().has('ReleasePolicy /house');
  if (spec === null && !isThere) return '';
  // One spec takes the place of the other, and nothing of it stays.
  if (isThere) await world.plane.policy(null);
  if (spec !== null) await world.plane.policy(spec);
  return `admin puts in force ${JSON.stringify(spec)}`;
});
