import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../../src/kubernetes/object.ts';
import type { DriftScope } from '../../../../src/policy/policy.ts';
import { isSameOwnership } from '../../../../src/rules/drift/field-ownership.ts';
import type { DriftInput } from '../../../../src/rules/drift/find-drift.ts';
import { findOwnershipDrift, findRestored } from '../../../../src/rules/drift/find-ownership.ts';
import { chartDeployment, edit, liveDeployment } from './fixtures.ts';

/** What the API server 1.36 writes for Helm 4's apply of the chart's Deployment. */
const MARKS = { 'f:meta.helm.sh/release-name': {}, 'f:meta.helm.sh/release-namespace': {} };
const CONTAINER = {
  '.': {},
  'f:args': {},
  'f:env': { 'k:{"name":"MODE"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
  'f:image': {},
  'f:name': {},
  'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
  'f:resources': { 'f:limits': { 'f:cpu': {}, 'f:memory': {} } },
};
const template = (container: object) => ({
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': container } } } },
});
const APPLIED = {
  'f:metadata': {
    'f:annotations': { ...MARKS, 'f:shop.example/team': {} },
    'f:labels': { 'f:app.kubernetes.io/name': {} },
  },
  'f:spec': { 'f:replicas': {}, 'f:selector': {}, ...template(CONTAINER)['f:spec'] },
};
const entry = (manager: string, operation: string, fieldsV1: object, more: object = {}): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: 'apps/v1',
  time: '2026-01-01T00:00:00Z',
  fieldsV1: fieldsV1 as Record<string, unknown>,
  ...more,
});
const HELM = entry('helm', 'Apply', APPLIED);
const STATUS = entry(
  'kube-controller-manager',
  'Update',
  { 'f:status': { 'f:replicas': {} } },
  { subresource: 'status' },
);
const KUBECTL = entry('kubectl-client-side-apply', 'Update', { 'f:spec': { 'f:replicas': {} } });
const replicas = { 'f:spec': { 'f:replicas': {} } };

const owned = (...managedFields: readonly ManagedFieldsEntry[]): KubernetesObject =>
  ({ ...liveDeployment, metadata: { ...liveDeployment.metadata, managedFields } }) as KubernetesObject;

const ask = (
  before: KubernetesObject,
  after: KubernetesObject,
  scope: DriftScope = 'AllFields',
  more: Partial<DriftInput> = {},
) => {
  const input: DriftInput = {
    scope,
    document: chartDeployment,
    releaseName: 'web',
    releaseNamespace: 'shop',
    before,
    after,
    ignore: [],
    ...more,
  };
  return { drift: findOwnershipDrift(input), restored: findRestored(input) };
};
const pathsOf = (changes: readonly { readonly path: string }[]) => changes.map(({ path }) => path);
const without = (container: object): ManagedFieldsEntry => ({
  ...HELM,
  fieldsV1: { ...APPLIED, 'f:spec': { ...APPLIED['f:spec'], ...template(container)['f:spec'] } } as never,
});
const { 'f:image': _image, ...withoutImage } = CONTAINER;

const ENTRY = ['metadata.managedFields'];
const TAKEN: readonly (readonly [what: string, after: readonly ManagedFieldsEntry[], paths: readonly string[]])[] = [
  ['all entries are erased', [], ENTRY],
  ['the entry of Helm is removed', [STATUS], ENTRY],
  ['the entry is renamed', [{ ...HELM, manager: 'me' }, STATUS], ENTRY],
  ['the entry becomes an update', [{ ...HELM, operation: 'Update' }, STATUS], ENTRY],
  ['the entry becomes one of a subresource', [{ ...HELM, subresource: 'status' }, STATUS], ENTRY],
  ['the entry tells another version of the kind', [{ ...HELM, apiVersion: 'apps/v1beta1' }, STATUS], ENTRY],
  [
    'one field is taken out of the entry',
    [without(withoutImage), STATUS],
    ['spec.template.spec.containers[web].image'],
  ],
  [
    'the entry is emptied of its spec',
    [{ ...HELM, fieldsV1: { 'f:metadata': APPLIED['f:metadata'] } }, STATUS],
    [
      'spec.replicas',
      'spec.selector',
      'spec.template.spec.containers[web].args',
      'spec.template.spec.containers[web].env[MODE].value',
      'spec.template.spec.containers[web].image',
      'spec.template.spec.containers[web].ports[80/TCP]',
      'spec.template.spec.containers[web].resources.limits.cpu',
      'spec.template.spec.containers[web].resources.limits.memory',
    ],
  ],
  ['somebody applies the same value', [HELM, entry('me', 'Apply', replicas), STATUS], ['spec.replicas']],
  ['somebody names himself helm, and updates', [HELM, entry('helm', 'Update', replicas), STATUS], ['spec.replicas']],
  [
    'somebody forges an entry of a subresource',
    [HELM, entry('me', 'Apply', replicas, { subresource: 'scale' }), STATUS],
    ['spec.replicas'],
  ],
  [
    'somebody applies a value within a list',
    [HELM, entry('me', 'Apply', template({ '.': {}, 'f:name': {}, 'f:image': {} })), STATUS],
    ['spec.template.spec.containers[web].image'],
  ],
  [
    'somebody applies a label of the chart',
    [HELM, entry('me', 'Apply', { 'f:metadata': { 'f:labels': { 'f:app.kubernetes.io/name': {} } } }), STATUS],
    ['metadata.labels["app.kubernetes.io/name"]'],
  ],
  [
    'somebody applies as helm what the chart does not set',
    [without({ ...CONTAINER, 'f:terminationMessagePath': {} }), STATUS],
    ['spec.template.spec.containers[web].terminationMessagePath'],
  ],
];

const KEPT: readonly (readonly [what: string, after: readonly ManagedFieldsEntry[]])[] = [
  ['the times and the order change', [STATUS, { ...HELM, time: '2026-02-02T00:00:00Z' }]],
  ['a controller comes to own the status', [HELM, entry('operator', 'Update', { 'f:status': { 'f:x': {} } })]],
  [
    'somebody owns a label that the chart does not set',
    [HELM, entry('me', 'Update', { 'f:metadata': { 'f:labels': { 'f:mine': {} } } })],
  ],
  [
    'somebody applies a field that the chart does not set',
    [HELM, entry('me', 'Apply', { 'f:spec': { 'f:minReadySeconds': {} } })],
  ],
  [
    'a finalizer has an owner',
    [HELM, entry('lb', 'Update', { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"lb"': {} } } })],
  ],
];

for (const scope of ['AllFields', 'ChartFields'] as const) {
  describe(`ownership of a release that Helm 4 applies, ${scope}`, () => {
    for (const [what, after, paths] of TAKEN) {
      test(`${what}: drift`, () => {
        assert.deepEqual(pathsOf(ask(owned(HELM, STATUS), owned(...after), scope).drift), paths);
        assert.equal(isSameOwnership(owned(HELM, STATUS), owned(...after)), false);
      });
    }
    for (const [what, after] of KEPT) {
      test(`${what}: no drift`, () => {
        assert.deepEqual(ask(owned(HELM, STATUS), owned(...after), scope), { drift: [], restored: [] });
      });
    }
  });
}

test('Helm may get back a field of the chart, as by `belay drift --repair`', () => {
  assert.deepEqual(ask(owned(without(withoutImage)), owned(HELM)).drift, []);
});

test('times and the status alone leave ownership as it was', () => {
  const after = owned(
    STATUS,
    { ...HELM, time: '2026-02-02T00:00:00Z' },
    entry('operator', 'Update', { 'f:status': {} }),
  );
  assert.equal(isSameOwnership(owned(HELM, STATUS), after), true);
});

test('kubectl moves its own entry from client to server, also where it owns a field together with Helm', () => {
  const moved = entry('kubectl', 'Apply', replicas);
  assert.deepEqual(ask(owned(HELM, KUBECTL), owned(HELM, moved)).drift, []);
  assert.deepEqual(ask(owned(HELM, KUBECTL), owned(HELM, KUBECTL, moved)).drift, []);
});

describe('the item of a list that is named alone', () => {
  const named = owned(HELM, entry('me', 'Apply', template({ '.': {}, 'f:name': {} })));
  test('by a person would be left behind when the chart drops it', () => {
    assert.deepEqual(pathsOf(ask(owned(HELM), named).drift), ['spec.template.spec.containers[web]']);
  });
  test('by a service account is how it adds to the item', () => {
    assert.deepEqual(ask(owned(HELM), named, 'ChartFields').drift, []);
  });
  test('by a person is how he writes what a policy leaves to him', () => {
    const ignore = ['/spec/template/spec/containers/*/env'];
    assert.deepEqual(ask(owned(HELM), named, 'AllFields', { ignore }).drift, []);
  });
});

describe('a field that changes its value', () => {
  const changed = (value: number, ...entries: readonly ManagedFieldsEntry[]) =>
    edit(owned(...entries), ['/spec/replicas', value]);
  const { 'f:replicas': _replicas, ...spec } = APPLIED['f:spec'];
  const helmWithout = { ...HELM, fieldsV1: { ...APPLIED, 'f:spec': spec } as never };
  test('is told by its values, and not by its owners', () => {
    assert.deepEqual(ask(owned(HELM), changed(5, helmWithout, entry('me', 'Update', replicas))).drift, []);
  });
  test('back to that of the chart belongs to whoever brought it back', () => {
    const { drift, restored } = ask(
      changed(5, helmWithout, entry('kubectl', 'Update', replicas)),
      changed(2, helmWithout, entry('kubectl', 'Update', replicas)),
    );
    assert.deepEqual([drift, pathsOf(restored)], [[], ['spec.replicas']]);
    assert.deepEqual(
      restored[0]?.owners?.after.map(({ manager }) => manager),
      ['kubectl'],
    );
  });
});

test('an entry that a write of scale has left behind without a time is dropped by the API server, and is nobody’s loss', () => {
  const helm3 = entry('helm', 'Update', { ...APPLIED, 'f:spec': { 'f:selector': {} } });
  const { time: _time, ...leftover } = entry('helm', 'Update', replicas);
  const annotated = entry('kubectl-annotate', 'Update', { 'f:metadata': { 'f:annotations': { 'f:note': {} } } });
  assert.deepEqual(ask(owned(leftover, helm3, STATUS), owned(helm3, STATUS, annotated)).drift, []);
});

describe('a release of Helm 3, which looks at no owners,', () => {
  const byHelm3 = { ...HELM, operation: 'Update' };
  test('may be applied to by others, and gets merged into ancient changes by the API server', () => {
    assert.deepEqual(ask(owned(byHelm3), owned(byHelm3, entry('me', 'Apply', replicas))).drift, []);
    assert.deepEqual(ask(owned(byHelm3), owned({ ...byHelm3, manager: 'ancient-changes' })).drift, []);
  });
  test('is not left without owners, by which the move to Helm 4 would fail', () => {
    assert.ok(pathsOf(ask(owned(byHelm3, STATUS), owned(STATUS)).drift).includes('spec.replicas'));
  });
});

test('a person who spells a duration of a custom resource otherwise does not take it over', () => {
  const document = { ...chartDeployment, apiVersion: 'shop.example/v1', kind: 'Cart', spec: { interval: '5m' } };
  const live = (interval: string, ...entries: readonly ManagedFieldsEntry[]) =>
    ({ ...owned(...entries), apiVersion: 'shop.example/v1', kind: 'Cart', spec: { interval } }) as KubernetesObject;
  const fields = { 'f:metadata': APPLIED['f:metadata'], 'f:spec': { 'f:interval': {} } };
  const helm = entry('helm', 'Apply', fields);
  const after = live(
    '300s',
    { ...helm, fieldsV1: { 'f:metadata': APPLIED['f:metadata'] } },
    entry('me', 'Update', { 'f:spec': { 'f:interval': {} } }),
  );
  assert.deepEqual(pathsOf(ask(live('5m', helm), after, 'AllFields', { document }).drift), ['spec.interval']);
  assert.deepEqual(ask(live('5m', helm), after, 'ChartFields', { document }).drift, []);
});

test('entries of a version that is no longer served are dropped by the API server, with the next write of anybody', () => {
  const old = { ...HELM, apiVersion: 'apps/v1beta1' };
  const unserved = (...versions: readonly string[]) => ({
    versions: { unserved: new Set(versions), fields: undefined },
  });
  assert.deepEqual(ask(owned(old), owned(), 'AllFields', unserved('apps/v1beta1')).drift, []);
  assert.deepEqual(pathsOf(ask(owned(old), owned(), 'AllFields', unserved()).drift), ENTRY);
});

test('entries of many thousand items are compared in time, whatever they name', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => `v${index}`);
  const env = Object.fromEntries(
    many.map((name) => [`k:{"name":"${name}"}`, { '.': {}, 'f:name': {}, 'f:value': {} }]),
  );
  const big = edit(owned(HELM), ['/spec/template/spec/containers/0/env', many.map((name) => ({ name, value: 'x' }))]);
  const forged = {
    ...big,
    metadata: { ...big.metadata, managedFields: [HELM, entry('me', 'Apply', template({ 'f:env': env }))] },
  };
  assert.deepEqual(ask(big, forged as KubernetesObject).drift, []);
});

test('malformed entries are no ownership, and nothing throws', () => {
  for (const managedFields of [
    null,
    'x',
    [null, 1, {}, { manager: 1, fieldsV1: [] }, { fieldsV1: { 'k:': {}, 'f:': 1 } }],
  ]) {
    const odd = {
      ...liveDeployment,
      metadata: { ...liveDeployment.metadata, managedFields },
    } as unknown as KubernetesObject;
    assert.deepEqual(pathsOf(ask(owned(HELM), odd).drift), ENTRY);
    assert.deepEqual(ask(odd, owned(HELM)).drift, []);
  }
});
