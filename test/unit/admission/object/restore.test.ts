import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import { renderShop, withMarks } from '../../../memory/chart.ts';
import type { Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { edit } from '../../rules/drift/fixtures.ts';

/** A missing object comes back: Flux corrects drift so, and operators of Helm. */

const CONTAINER = '/spec/template/spec/containers/0';

let plane: MemoryPlane;
let flux: Person;

const documentOf = (kind: string): KubernetesObject => {
  const document = renderShop('web', {}).find((each) => each.kind === kind);
  if (document === undefined) throw new Error(`the chart has no ${kind}`);
  return withMarks(document, 'web', 'shop');
};
const lose = async (...names: readonly string[]): Promise<void> => {
  plane.unguard();
  for (const name of names) succeeds(await plane.admin.delete(name));
  plane.guard();
};
/** What a server-side dry run answers: the object with its defaults. */
const withDefaults = (object: KubernetesObject): KubernetesObject =>
  edit(
    object,
    ['/spec/strategy', { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } }],
    ['/spec/revisionHistoryLimit', 10],
    ['/spec/template/spec/restartPolicy', 'Always'],
    [`${CONTAINER}/ports/0/protocol`, 'TCP'],
    [`${CONTAINER}/resources/requests/cpu`, '0.1'],
  );

beforeEach(async () => {
  plane = await memoryPlane();
  flux = plane.as('system:serviceaccount:flux-system:helm-controller', 'edit', ['system:serviceaccounts']);
  succeeds(await plane.helm.install('web'));
  await lose('deployment/web', 'configmap/web');
});
afterEach(() => plane.stop());

describe('a service account brings a missing object back', () => {
  const WAYS: readonly (readonly [how: string, bring: (object: KubernetesObject) => Promise<Outcome>])[] = [
    ['by a POST', (object) => flux.create(object)],
    ['by an apply', (object) => flux.apply(object)],
  ];
  for (const [how, bring] of WAYS) {
    test(`${how}, as the chart has it`, async () => {
      succeeds(await bring(documentOf('Deployment')));
      succeeds(await bring(documentOf('ConfigMap')));
    });

    test(`${how}, with defaults spelled out`, async () => {
      succeeds(await bring(withDefaults(documentOf('Deployment'))));
    });

    test(`${how}, with what it may also set in an update: another field, label, container`, async () => {
      const more = edit(
        documentOf('Deployment'),
        ['/spec/minReadySeconds', 5],
        ['/metadata/labels/team', 'blue'],
        [`${CONTAINER}/ports/-`, { containerPort: 9_090, protocol: 'TCP' }],
        ['/spec/template/spec/containers/-', { name: 'proxy', image: 'envoy:1' }],
      );
      succeeds(await bring(more));
    });
  }

  const WRONG: readonly (readonly [what: string, pointer: string, value?: unknown])[] = [
    ['another image', `${CONTAINER}/image`, 'evil'],
    ['fewer replicas', '/spec/replicas', 0],
    ['no replicas', '/spec/replicas'],
    ['a container less', `${CONTAINER}/name`, 'other'],
    ['a port less', `${CONTAINER}/ports`, []],
    ['another port', `${CONTAINER}/ports/0/containerPort`, 81],
    ['no variables', `${CONTAINER}/envFrom`],
    ['one more source of variables', `${CONTAINER}/envFrom/-`, { secretRef: { name: 'evil' } }],
    ['other requests', `${CONTAINER}/resources/requests/cpu`, '0.2'],
    ['a label of the chart less', '/metadata/labels/app'],
  ];
  for (const [what, pointer, value] of WRONG) {
    test(`but not with ${what}`, async () => {
      const wrong = edit(withDefaults(documentOf('Deployment')), [pointer, value]);
      for (const bring of [
        (object: KubernetesObject) => flux.create(object),
        (object: KubernetesObject) => flux.apply(object),
      ])
        isDenied(await untouched(plane, () => bring(wrong)), 'BelayDrift');
    });
  }

  test('but not with another value or a value less in a ConfigMap, and with one more', async () => {
    for (const data of [{ GREETING: 'evil' }, {}, { greeting: 'hello' }])
      isDenied(await untouched(plane, () => flux.create({ ...documentOf('ConfigMap'), data })), 'BelayDrift');
    succeeds(await flux.create({ ...documentOf('ConfigMap'), data: { GREETING: 'hello', MORE: 'x' } }));
  });

  test('but not while the release is frozen, nor while an operation is in flight', async () => {
    const upgrading = await plane.helm.start((helm) => helm.upgrade('web'));
    isDenied(await untouched(plane, () => flux.create(documentOf('ConfigMap'))), 'BelayDrift');
    succeeds(await upgrading.finish());
    await lose('configmap/web');
    await plane.freeze('web');
    isDenied(await untouched(plane, () => flux.create(documentOf('ConfigMap'))), 'BelayFrozen');
  });

  test('but not where the policy holds service accounts to all fields, unless by an apply of just the chart’s', async () => {
    await plane.policy({ drift: { serviceAccounts: 'AllFields' } });
    isDenied(await untouched(plane, () => flux.create(documentOf('ConfigMap'))), 'BelayDrift');
    succeeds(await flux.apply(documentOf('ConfigMap')));
  });

  test('with another value of a path that the policy ignores', async () => {
    await plane.policy({ drift: { ignore: [{ kind: 'Deployment', paths: ['/spec/replicas'] }] } });
    const scaled = edit(documentOf('Deployment'), ['/spec/replicas', 7]);
    succeeds(await flux.create(scaled));
  });
});

test('a person brings nothing back by a POST', async () => {
  const dev = plane.as('dev');
  isDenied(
    await untouched(plane, () => dev.create(documentOf('ConfigMap'))),
    'BelayDrift',
    /belay drift web -n shop --repair/,
  );
  succeeds(await dev.apply(documentOf('ConfigMap')));
});
