import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareChartFields, withoutSpelling, withWriters } from '../../../src/drift/compare.ts';
import { placeDocument, toStored } from '../../../src/drift/placed-document.ts';
import { live, MARKS, owned } from './objects.ts';

/** A chart's document, compared with the object that the API server made from it. */
const compare = (
  document: Record<string, unknown>,
  object: ReturnType<typeof live>,
  ignore: readonly string[] = [],
) => {
  const placed = placeDocument(document, MARKS, 'shop');
  return compareChartFields({
    ...{ desired: toStored(placed, MARKS), live: object, document: placed, marks: MARKS, ignore },
  });
};

const service = (ports: unknown) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports } });
const keyed = [
  owned('helm', { 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } } }),
];

describe('no drift: the API server adds or rewrites', () => {
  test('defaults, and a protocol that the chart leaves out', () => {
    const spec = { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }] };
    assert.deepEqual(compare(service([{ port: 80 }]), live('v1', 'Service', { spec }, keyed)), []);
  });

  test('stringData, and wrapped base64', () => {
    const document = {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' } },
      ...{ stringData: { a: 'x' }, data: { b: 'eA\n==' } },
    };
    assert.deepEqual(compare(document, live('v1', 'Secret', { data: { a: 'eA==', b: 'eA==' } })), []);
  });

  test('the namespace that the chart leaves out, and the status', () => {
    const document = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'web', uid: 'x', creationTimestamp: null },
    };
    assert.deepEqual(compare(document, live('v1', 'ConfigMap', { status: { a: 1 } })), []);
  });

  const deployment = (resources: unknown, env: unknown) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { template: { spec: { containers: [{ name: 'web', resources, env }] } } },
  });
  test('another spelling of a value, also where the API server cannot be asked', () => {
    const document = deployment({ limits: { cpu: '1000m' } }, [{ name: 'EMPTY', value: '', optional: false }]);
    const { spec } = deployment({ limits: { cpu: '1' } }, [{ name: 'EMPTY' }]);
    const found = compare(document, live('apps/v1', 'Deployment', { spec }));
    assert.deepEqual(
      found.map(({ path }) => path),
      ['spec.template.spec.containers[web].env[EMPTY].optional'],
    );
    assert.deepEqual(withoutSpelling(found), []);
  });
  test('but another value is drift there too', () => {
    const document = deployment({}, [{ name: 'MODE', value: 'a' }]);
    const { spec } = deployment({}, [{ name: 'MODE' }]);
    assert.equal(withoutSpelling(compare(document, live('apps/v1', 'Deployment', { spec }))).length, 1);
  });
});

describe('drift: somebody changed', () => {
  test('the protocol of a port', () => {
    const spec = { ports: [{ port: 80, protocol: 'UDP' }] };
    const fields = [owned('x', { 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"UDP"}': {} } } })];
    const [gone] = compare(service([{ port: 80 }]), live('v1', 'Service', { spec }, fields));
    assert.equal(gone?.path, 'spec.ports[80/TCP]');
  });

  test('a value, with its writer; a field that is gone has no writer', () => {
    const document = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { a: '1', b: '2' } };
    const object = live('v1', 'ConfigMap', { data: { a: '9' } }, [
      owned('helm', { 'f:data': { '.': {} } }),
      owned('kubectl-edit', { 'f:data': { 'f:a': {} } }, { time: '2026-01-02T10:00:00Z' }),
    ]);
    const [a, b] = withWriters(compare(document, object), object);
    assert.deepEqual([a?.path, a?.before, a?.after], ['data.a', '1', '9']);
    assert.deepEqual(a?.writer, { manager: 'kubectl-edit', atMs: Date.parse('2026-01-02T10:00:00Z') });
    assert.deepEqual([b?.path, b?.after, b?.writer], ['data.b', undefined, undefined]);
  });

  test('but not a field that the policy ignores', () => {
    const document = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { a: '1' } };
    assert.deepEqual(compare(document, live('v1', 'ConfigMap', { data: { a: '9' } }), ['/data/a']), []);
  });

  test('in a Secret, where every field is hidden that is not known to be harmless', () => {
    const metadata = { name: 'web', annotations: { copy: 'x' }, labels: { app: 'web' } };
    const document = { apiVersion: 'v1', kind: 'Secret', metadata, data: { a: 'eA==' } };
    const object = live('v1', 'Secret', { data: { a: 'eQ==' } }, [], { copy: 'y' });
    const found = withWriters(compare(document, object), object);
    assert.deepEqual(
      found.map(({ path, secret }) => [path, secret]),
      [
        ['metadata.annotations.copy', true],
        ['metadata.labels.app', false],
        ['data.a', true],
      ],
    );
  });
});
