import fc from 'fast-check';
import { encodePayload, payloadIn, type RecordKind, recordName, toRecordObject } from '../../memory/record.ts';
import { ended, nameOf, recordAt, recordKind, release, type Step, who } from './step.ts';
import { NAMESPACE, USERNAMES } from './world.ts';

const status = fc.constantFrom(
  'deployed',
  'superseded',
  'failed',
  'uninstalled',
  'uninstalling',
  'pending-install',
  'pending-upgrade',
  'pending-rollback',
  'unknown',
);

const METADATA: readonly object[] = [
  { labels: { owner: null } },
  { labels: { owner: 'tiller' } },
  { labels: { name: 'api' } },
  { labels: { status: 'superseded' } },
  { labels: { status: 'pending-upgrade' } },
  { labels: { version: '7' } },
  { labels: { modifiedAt: '1795262400' } },
  { labels: { team: 'shop' } },
  {
    ownerReferences: [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: '00000000-0000-4000-8000-000000000000' },
    ],
  },
  { annotations: null },
];

const edited: fc.Arbitrary<Step> = fc
  .tuple(who, release, fc.nat(2), fc.constantFrom(...METADATA))
  .map(([user, name, back, metadata]) => async (world) => {
    const record = recordAt(world, name, back);
    if (record === undefined) return '';
    const outcome = await world.person(user).patch(nameOf(record), { metadata });
    return `${USERNAMES[user]} patches ${nameOf(record)} with ${JSON.stringify(metadata)}: ${ended(outcome)}`;
  });

/** Payload and label say the same, as in a write of Helm. */
const moved: fc.Arbitrary<Step> = fc
  .tuple(who, release, fc.nat(2), status, fc.constantFrom('patch', 'replace', 'hollow'))
  .map(([user, name, back, to, how]) => async (world) => {
    const record = recordAt(world, name, back);
    if (record === undefined) return '';
    const kind = record.kind as RecordKind;
    const old = payloadIn(record);
    const info = { ...old.info, status: to, ...(to === 'uninstalling' && { deleted: world.plane.clock.time() }) };
    const payload = { ...old, info, ...(how === 'hollow' && { manifest: '' }) };
    const body = toRecordObject(payload, kind, NAMESPACE, {});
    const patch = { metadata: { labels: { status: to } }, data: { release: encodePayload(payload, kind) } };
    const person = world.person(user);
    const outcome = how === 'replace' ? await person.replace(body) : await person.patch(nameOf(record), patch);
    return `${USERNAMES[user]} moves ${nameOf(record)} to ${to} by a ${how}: ${ended(outcome)}`;
  });

const deleted: fc.Arbitrary<Step> = fc.tuple(who, release, fc.nat(2)).map(([user, name, back]) => async (world) => {
  const record = recordAt(world, name, back);
  if (record === undefined) return '';
  return `${USERNAMES[user]} deletes ${nameOf(record)}: ${ended(await world.person(user).delete(nameOf(record)))}`;
});

const deletedAll: fc.Arbitrary<Step> = fc.tuple(who, release, recordKind).map(([user, name, kind]) => async (world) => {
  const outcome = await world.person(user).deleteAll(kind.toLowerCase(), `owner=helm,name=${name}`);
  return `${USERNAMES[user]} deletes all ${kind}s of ${name}: ${ended(outcome)}`;
});

/** Above the newest revision, at a gap, or again where one was pruned. */
const forged: fc.Arbitrary<Step> = fc
  .tuple(
    who,
    release,
    recordKind,
    status,
    fc.constantFrom(1, 1, 1, 2, 0, -1),
    fc.constantFrom('labelled', 'labelled', 'labelled later'),
    fc.constantFrom({}, { 'belay.dev/pin': '2.x' }, { 'belay.dev/freeze': 'forged' }, { 'belay.dev/freeze-by': 'ana' }),
  )
  .map(([user, name, kind, to, above, how, annotations]) => async (world) => {
    const newest = recordAt(world, name, 0);
    const revision = Math.max(1, Number(newest?.metadata?.labels?.version ?? 0) + above);
    const { clock } = world.plane;
    const seed = {
      chart: { metadata: { name: 'shop', version: '1.4.0' }, templates: [], values: {} },
      config: {},
      manifest: '',
      hooks: [],
    };
    const old = newest === undefined ? undefined : payloadIn(newest);
    const payload = {
      ...(old ?? { ...seed, name, namespace: NAMESPACE }),
      version: revision,
      info: { first_deployed: clock.time(), last_deployed: clock.time(), description: '', status: to },
    };
    const object = toRecordObject(payload, kind, NAMESPACE, {});
    const { labels = {}, ...metadata } = object.metadata ?? {};
    const isLater = how === 'labelled later';
    const person = world.person(user);
    const born = { ...object, metadata: { ...metadata, annotations, ...(!isLater && { labels }) } };
    const first = await person.create(born);
    const later = isLater
      ? `, then ${ended(await person.patch(`${kind.toLowerCase()}/${recordName(name, revision)}`, { metadata: { labels } }))}`
      : '';
    return `${USERNAMES[user]} stores a ${kind} of ${name} v${revision} as ${to}, ${how}, with ${JSON.stringify(annotations)}: ${ended(first)}${later}`;
  });

const claimed: fc.Arbitrary<Step> = fc
  .tuple(who, release, fc.constantFrom('delete', 'create', 'unlabel', 'take'))
  .map(([user, name, how]) => async (world) => {
    const person = world.person(user);
    const lease = `lease/belay.${name}`;
    const run = {
      delete: () => person.delete(lease),
      create: () =>
        person.create({
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: `belay.${name}` },
          spec: { holderIdentity: USERNAMES[user] },
        }),
      unlabel: () => person.patch(lease, { metadata: { labels: null, annotations: null } }),
      take: () => person.patch(lease, { spec: { holderIdentity: USERNAMES[user] } }),
    }[how as 'delete'];
    return `${USERNAMES[user]}: ${how} ${lease}: ${ended(await run())}`;
  });

export const recordStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: edited },
  { weight: 4, arbitrary: moved },
  { weight: 3, arbitrary: deleted },
  { weight: 1, arbitrary: deletedAll },
  { weight: 3, arbitrary: forged },
  { weight: 1, arbitrary: claimed },
);
