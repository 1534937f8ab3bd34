import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findAddedFields } from '../../../src/drift/added-fields.ts';
import { placeDocument, toStored } from '../../../src/drift/placed-document.ts';
import type { ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';
import { live, MARKS, owned } from './objects.ts';

const CONFIG = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'web', annotations: { team: 'blue' } },
  data: { GREETING: 'hello' },
};

const added = (
  document: Record<string, unknown>,
  content: object,
  managedFields: readonly ManagedFieldsEntry[],
  { annotations = {}, ignore = [] }: { annotations?: Record<string, string>; ignore?: readonly string[] } = {},
): readonly string[] => {
  const apiVersion = String(document.apiVersion);
  const kind = String(document.kind);
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return findAddedFields({
    stored: toStored(placeDocument(document, MARKS, 'shop'), MARKS),
    document,
    live: live(apiVersion, kind, content, managedFields, annotations),
    ...{ group, kind, ignore, manager: 'helm' },
  }).map(({ path }) => path);
};

const more = { data: { GREETING: 'hello', MORE: 'x' } };
const byKubectl = owned('kubectl-patch', { 'f:data': { 'f:MORE': {} } });

describe('a field that others added', () => {
  test('a key of a ConfigMap', () => assert.deepEqual(added(CONFIG, more, [byKubectl]), ['data.MORE']));

  test('an annotation, where the chart has some', () => {
    const fields = [owned('kubectl-annotate', { 'f:metadata': { 'f:annotations': { 'f:note': {} } } })];
    const { metadata: _metadata, ...rest } = CONFIG;
    const bare = { ...rest, metadata: { name: 'web' } };
    const annotations = { team: 'blue', note: 'mine' };
    assert.deepEqual(added(CONFIG, {}, fields, { annotations }), ['metadata.annotations.note']);
    assert.deepEqual(added(bare, {}, fields, { annotations }), []);
  });

  const deployment = (...env: object[]) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { template: { spec: { containers: [{ name: 'web', env }] } } },
  });
  const path = (inner: object) => ({
    'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:env': inner } } } } },
  });
  test('an environment variable', () => {
    const { spec } = deployment({ name: 'A', value: '1' }, { name: 'DEBUG', value: '1' });
    const fields = [
      owned('helm', path({ 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } }), { operation: 'Apply' }),
      owned('kubectl-set', path({ 'k:{"name":"DEBUG"}': { '.': {}, 'f:name': {}, 'f:value': {} } })),
    ];
    const found = added(deployment({ name: 'A', value: '1' }), { spec }, fields);
    assert.deepEqual(found, ['spec.template.spec.containers[web].env[DEBUG]']);
  });

  test('a list that the chart leaves out: the first variable of a container', () => {
    const bare = deployment();
    delete (bare.spec.template.spec.containers[0] as { env?: unknown }).env;
    const { spec } = deployment({ name: 'DEBUG', value: '1' });
    const fields = [owned('kubectl-set', path({ '.': {}, 'k:{"name":"DEBUG"}': { '.': {}, 'f:name': {} } }))];
    assert.deepEqual(added(bare, { spec }, fields), ['spec.template.spec.containers[web].env']);
  });

  test('a field that Helm 4 itself left behind, when a later revision failed', () => {
    assert.deepEqual(added(CONFIG, more, [owned('helm', { 'f:data': { 'f:MORE': {} } }, { operation: 'Apply' })]), [
      'data.MORE',
    ]);
  });
});

const NOT_ADDED: readonly (readonly [what: string, ...Parameters<typeof added>])[] = [
  ['what nobody owns: a webhook filled it in', CONFIG, more, []],
  ['what Helm 3 owns: it may be a default', CONFIG, more, [owned('helm', { 'f:data': { 'f:MORE': {} } })]],
  [
    "what Kubernetes' own programs fill in",
    CONFIG,
    more,
    [owned('kube-controller-manager', { 'f:data': { 'f:MORE': {} } })],
  ],
  ['what came by a subresource', CONFIG, more, [owned('x', { 'f:data': { 'f:MORE': {} } }, { subresource: 'status' })]],
  ['what a rule leaves to others', CONFIG, more, [byKubectl], { ignore: ['/data/MORE'] }],
  [
    'what is reserved for Kubernetes',
    CONFIG,
    {},
    [owned('x', { 'f:metadata': { 'f:annotations': { 'f:pv.kubernetes.io/bound': {} } } })],
    { annotations: { team: 'blue', 'pv.kubernetes.io/bound': 'yes' } },
  ],
  [
    'a field with a default: replicas, as an autoscaler sets them',
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { paused: false } },
    { spec: { replicas: 7 } },
    [owned('kubectl', { 'f:spec': { 'f:replicas': {} } })],
  ],
  ['a map that the chart leaves to others', { ...CONFIG, data: {} }, { data: { MORE: 'x' } }, [byKubectl]],
];

describe('a field that does not count as added', () => {
  for (const [what, ...given] of NOT_ADDED) test(what, () => assert.deepEqual(added(...given), []));
});
