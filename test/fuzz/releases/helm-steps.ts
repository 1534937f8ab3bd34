import fc from 'fast-check';
import type { Values } from '../../memory/chart.ts';
import type { Helm, Outcome, Person } from '../../memory/person.ts';
import { ended, release, type Step, who } from './step.ts';
import { USERNAMES } from './world.ts';

interface Command {
  readonly words: string;
  readonly run: (helm: Helm, release: string) => Promise<Outcome>;
}

const values: fc.Arbitrary<Values> = fc.constantFrom<Values>(
  {},
  { greeting: 'hi' },
  { replicas: 3 },
  { replicas: null },
  { image: 'nginx:1.28' },
  { extraConfig: { more: 'x' } },
  { badPort: true },
);
const version = fc.constantFrom('1.4.0', '1.5.0', '2.0.0');

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(values, version, fc.boolean()).map(([given, chart, replace]) => ({
    words: `install of shop-${chart} with ${JSON.stringify(given)}${replace ? ' --replace' : ''}`,
    run: (helm: Helm, name: string) => helm.install(name, given, { chart: { name: 'shop', version: chart }, replace }),
  })),
  fc
    .tuple(
      values,
      version,
      fc.record({ install: fc.boolean(), atomic: fc.boolean(), cleanupOnFail: fc.boolean() }),
      fc.constantFrom(0, 1, 2, 10),
    )
    .map(([given, chart, flags, historyMax]) => ({
      words: `upgrade to shop-${chart} with ${JSON.stringify({ ...given, ...flags, historyMax })}`,
      run: (helm: Helm, name: string) =>
        helm.upgrade(name, given, { ...flags, historyMax, chart: { name: 'shop', version: chart } }),
    })),
  fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }).map((to) => ({
    words: `rollback${to === undefined ? '' : ` to ${to}`}`,
    run: (helm: Helm, name: string) => helm.rollback(name, to),
  })),
  fc.boolean().map((keepHistory) => ({
    words: `uninstall${keepHistory ? ' --keep-history' : ''}`,
    run: (helm: Helm, name: string) => helm.uninstall(name, keepHistory),
  })),
  fc.constant({ words: 'test', run: (helm: Helm, name: string) => helm.test(name) }),
);

const HELMS: readonly (readonly [words: string, of: (person: Person) => Helm])[] = [
  ['helm4', (person) => person.helm],
  ['helm3', (person) => person.helm3],
  ['helm4 in ConfigMaps', (person) => person.helmInConfigMaps],
];
const helm = fc.constantFrom(...[0, 0, 0, 1, 1, 2].map((index) => HELMS[index] ?? HELMS[0])) as fc.Arbitrary<
  (typeof HELMS)[number]
>;

/** As many requests as a Helm sends before something else happens. Most run to their end. */
const requests = fc.oneof({ weight: 2, arbitrary: fc.constant(1000) }, { weight: 1, arbitrary: fc.nat(14) });

const told = (outcome: Outcome | undefined): string => (outcome === undefined ? 'goes on' : ended(outcome));

const begin: fc.Arbitrary<Step> = fc
  .tuple(who, helm, release, command, requests)
  .map(([user, [client, of], name, { words, run }, sent]) => async (world) => {
    const what = `${USERNAMES[user]}: ${client} ${words} of ${name}`;
    const running = world.begin(user, what, (person) => run(of(person), name));
    await running.goOn(sent);
    return `${what}, ${sent === 1000 ? 'to its end' : `${sent} requests`}: ${told(running.outcome())}`;
  });

const goOn: fc.Arbitrary<Step> = fc.tuple(fc.nat(3), requests).map(([back, sent]) => async (world) => {
  const open = world.running.filter(({ outcome }) => outcome() === undefined);
  const running = open.at(-1 - back) ?? open.at(-1);
  if (running === undefined) return '';
  await running.goOn(sent);
  return `goes on, ${sent === 1000 ? 'to its end' : `${sent} requests`}: ${running.words}: ${told(running.outcome())}`;
});

/** Two that begin in the same instant, as far as their record. */
const race: fc.Arbitrary<Step> = fc
  .tuple(fc.tuple(who, command), fc.tuple(who, command), release)
  .map(([one, other, name]) => async (world) => {
    const started = await Promise.all(
      [one, other].map(async ([user, { words, run }]) => {
        const person = world.person(user);
        world.oracle.heard(USERNAMES[user] ?? '');
        const outcome = await run(person.helm, name);
        return `${USERNAMES[user]}: ${words} of ${name}: ${ended(outcome)}`;
      }),
    );
    return `at once: ${started.join('; ')}`;
  });

/** What `helm lock` does while its Helm runs: it renews the claim, and asks for a shorter silence. */
const renew: fc.Arbitrary<Step> = fc
  .tuple(who, release, fc.constantFrom(40, 15, 3600, undefined))
  .map(([user, name, leaseDurationSeconds]) => async (world) => {
    const spec = {
      renewTime: new Date(world.plane.clock.nowMs()).toISOString().replace('Z', '000Z'),
      ...(leaseDurationSeconds !== undefined && { leaseDurationSeconds }),
    };
    const outcome = await world.person(user).patch(`lease/belay.${name}`, { spec });
    return `${USERNAMES[user]} renews the claim of ${name} for ${leaseDurationSeconds ?? 'as long as before'}: ${ended(outcome)}`;
  });

export const helmStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: begin },
  { weight: 6, arbitrary: goOn },
  { weight: 1, arbitrary: race },
  { weight: 2, arbitrary: renew },
);
