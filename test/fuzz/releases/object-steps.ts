import fc from 'fast-check';
import type { Outcome } from '../../memory/person.ts';
import { ended, release, type Step, storedAt, who } from './step.ts';
import { NAMESPACE, RELEASES, USERNAMES, type World } from './world.ts';

const NAME = 'meta.helm.sh/release-name';
const STRANGER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: '00000000-0000-4000-8000-000000000000' };

const PATCHES: Readonly<Record<string, readonly object[]>> = {
  ConfigMap: [
    { data: { GREETING: 'evil' } },
    { data: { OTHER: 'x' } },
    { data: null },
    { data: { GREETING: 'hello' } },
  ],
  Service: [
    { spec: { selector: { app: 'evil' } } },
    { spec: { ports: [{ port: 81 }] } },
    { spec: { ports: [{ port: 80 }, { port: 81 }] } },
    { spec: { sessionAffinity: 'ClientIP' } },
  ],
  Deployment: [
    { spec: { replicas: 5 } },
    { spec: { replicas: 2 } },
    { spec: { paused: true } },
    { spec: { template: { spec: { containers: [{ name: 'web', image: 'evil' }] } } } },
    { spec: { template: { spec: { containers: [] } } } },
    { spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } } } },
    [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'evil' }],
    [{ op: 'add', path: '/spec/template/spec/containers/0', value: { name: 'sidecar', image: 'proxy' } }],
    [{ op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'sidecar', image: 'proxy' } }],
  ],
};

const ANY: readonly object[] = [
  { metadata: { labels: { team: 'shop' } } },
  { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } },
  { metadata: { annotations: { [NAME]: null } } },
  { metadata: { annotations: { [NAME]: null, 'meta.helm.sh/release-namespace': null }, labels: null } },
  ...RELEASES.map((name) => ({ metadata: { annotations: { [NAME]: name } } })),
  { metadata: { annotations: { 'meta.helm.sh/release-namespace': 'other' } } },
  { metadata: { ownerReferences: [STRANGER] } },
  { metadata: { ownerReferences: [] } },
];

const kind = fc.constantFrom('ConfigMap', 'Service', 'Deployment');

interface Write {
  /** What is done, with this kind of object. */
  readonly words: (kind: string) => string;
  readonly run: (world: World, user: number, kind: string, name: string) => Promise<Outcome | undefined>;
}

const patched = fc.tuple(fc.nat(20), fc.boolean()).map(([which, any]): Write => {
  const patchOf = (of: string): object => {
    const patches = any ? ANY : (PATCHES[of] ?? ANY);
    return patches[which % patches.length] ?? {};
  };
  return {
    words: (of) => `patches, with ${JSON.stringify(patchOf(of))},`,
    run: async (world, user, of, name) => world.person(user).patch(`${of.toLowerCase()}/${name}`, patchOf(of)),
  };
});

/** A PUT of what was read, with one part of it away. */
const replaced = fc.constantFrom('data', 'spec', 'labels', 'annotations').map(
  (part): Write => ({
    words: () => `replaces, without ${part},`,
    run: async (world, user, of, name) => {
      const stored = storedAt(world, of, name);
      if (stored === undefined) return undefined;
      const { [part]: _away, ...metadata } = { ...stored.metadata };
      const { [part]: _gone, ...rest } = stored;
      return world.person(user).replace({ ...structuredClone(rest), metadata: structuredClone(metadata) });
    },
  }),
);

const created = fc.boolean().map(
  (marked): Write => ({
    words: () => `creates, ${marked ? 'marked' : 'unmarked'},`,
    run: async (world, user, of, name) =>
      world.person(user).create({
        apiVersion: of === 'Deployment' ? 'apps/v1' : 'v1',
        kind: of,
        metadata: {
          name,
          ...(marked && {
            labels: { 'app.kubernetes.io/managed-by': 'Helm' },
            annotations: { [NAME]: name.split('-')[0] ?? '', 'meta.helm.sh/release-namespace': NAMESPACE },
          }),
        },
        ...(of === 'ConfigMap' ? { data: { GREETING: 'evil' } } : { spec: {} }),
      }),
  }),
);

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 6, arbitrary: patched },
  { weight: 2, arbitrary: replaced },
  { weight: 1, arbitrary: created },
  {
    weight: 3,
    arbitrary: fc.constant<Write>({
      words: () => 'deletes',
      run: async (world, user, of, name) => world.person(user).delete(`${of.toLowerCase()}/${name}`),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 2, 7).map(
      (replicas): Write => ({
        words: () => `scales to ${replicas}`,
        run: async (world, user, of, name) =>
          of === 'Deployment' ? world.person(user).scale(`deployment/${name}`, replicas) : undefined,
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Write>({
      words: () => 'deletes with all of its kind',
      run: async (world, user, of) => world.person(user).deleteAll(of.toLowerCase()),
    }),
  },
);

export const objectStep: fc.Arbitrary<Step> = fc
  .tuple(who, kind, release, fc.constantFrom('', '', '', '-more'), write)
  .map(([user, of, name, more, { words, run }]) => async (world) => {
    const outcome = await run(world, user, of, `${name}${of === 'ConfigMap' ? more : ''}`);
    if (outcome === undefined) return '';
    return `${USERNAMES[user]} ${words(of)} ${of} ${name}${of === 'ConfigMap' ? more : ''}: ${ended(outcome)}`;
  });
