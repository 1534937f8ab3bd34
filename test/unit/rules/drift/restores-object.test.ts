// Longer than 200 lines: a table of requests, and the fields that the API server would note for them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../../src/kubernetes/object.ts';
import { isMap } from '../../../../src/rules/drift/json.ts';
import { restoresObject } from '../../../../src/rules/drift/restores-object.ts';
import { chartDeployment, edit, type Json, liveDeployment } from './fixtures.ts';

const MARKS = { releaseName: 'web', releaseNamespace: 'shop' };

/** A chart's document as `belay drift --repair` sends it. */
const marked = (document: Json): Json => {
  const { labels, annotations, ...metadata } = document.metadata as Record<string, Json>;
  return {
    ...document,
    metadata: {
      ...metadata,
      namespace: 'shop',
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        ...annotations,
        'meta.helm.sh/release-name': 'web',
        'meta.helm.sh/release-namespace': 'shop',
      },
    },
  };
};

/** The keys of lists in the API server's schema. It takes any other list as one value. */
const KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['containers', ['name']],
  ['env', ['name']],
  ['volumes', ['name']],
  ['ports', ['containerPort', 'protocol']],
]);
/** Maps that the API server takes as one value. */
const ATOMIC = new Set(['selector']);

const keyOf = (item: Json, names: readonly string[]): string =>
  `k:${JSON.stringify(Object.fromEntries(names.map((name) => [name, item[name] ?? 'TCP'])))}`;

/** The fields of a request, as `managedFields` holds them after a server-side apply. */
const fieldsOf = (value: unknown, name = ''): Json => {
  const keys = KEYS.get(name);
  if (Array.isArray(value) && keys !== undefined)
    return Object.fromEntries(value.map((item: Json) => [keyOf(item, keys), { '.': {}, ...fieldsOf(item) }]));
  if (!isMap(value) || ATOMIC.has(name)) return {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [`f:${key}`, fieldsOf(child, key)]),
  );
};

const IDENTITY = { '/apiVersion': 0, '/kind': 0, '/metadata/name': 0, '/metadata/namespace': 0 };

const entryOf = (request: Json, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager: 'helm',
  operation: 'Apply',
  apiVersion: String(request.apiVersion),
  fieldsV1: fieldsOf(edit(request, ...Object.keys(IDENTITY).map((pointer) => [pointer] as const))),
  ...more,
});

/** The object that Belay reviews when `request` is applied. `filled` is the request with defaults. */
const applied = (request: Json, filled: Json = request, more: Partial<ManagedFieldsEntry> = {}): KubernetesObject => {
  const object = structuredClone(filled);
  return { ...object, metadata: { ...(object.metadata as Json), managedFields: [entryOf(request, more)] } };
};

const restores = (document: Json, after: KubernetesObject, group = 'apps'): boolean =>
  restoresObject({ ...MARKS, document, after, group, kind: String(document.kind) });

const request = marked(chartDeployment);
/** The request with the API server's defaults. */
const filled: Json = (() => {
  const { managedFields: _fields, annotations: _annotations, ...metadata } = liveDeployment.metadata;
  const { annotations } = request.metadata as Json;
  return { ...liveDeployment, metadata: { ...metadata, annotations } };
})();
const CONTAINER = '/spec/template/spec/containers/0';

test('a server-side apply of the chart restores it, with the defaults of the API server', () => {
  assert.ok(restores(chartDeployment, applied(request, filled)));
});

describe('a CREATE with more than the chart, less, or another value restores nothing', () => {
  const both = (...edits: readonly (readonly [pointer: string, value?: unknown])[]): KubernetesObject =>
    applied(edit(request, ...edits), edit(filled, ...edits));
  const CASES: Readonly<Record<string, KubernetesObject>> = {
    'another image': both([`${CONTAINER}/image`, 'evil:1']),
    'another container': both(['/spec/template/spec/containers/-', { name: 'evil', image: 'evil:1' }]),
    'an init container': both(['/spec/template/spec/initContainers', [{ name: 'evil', image: 'evil:1' }]]),
    'a volume of the host': both(['/spec/template/spec/volumes/-', { name: 'host', hostPath: { path: '/' } }]),
    'the host in place of an empty volume': both([
      '/spec/template/spec/volumes/0',
      { name: 'tmp', hostPath: { path: '/' } },
    ]),
    'a field in an empty volume': both(['/spec/template/spec/volumes/0/emptyDir/medium', 'Memory']),
    'the network of the host': both(['/spec/template/spec/hostNetwork', true]),
    'another service account': both(['/spec/template/spec/serviceAccountName', 'admin']),
    'a privileged container where the chart has null': both([`${CONTAINER}/securityContext`, { privileged: true }]),
    'a security context for the Pod, which is empty by default': both([
      '/spec/template/spec/securityContext/runAsUser',
      0,
    ]),
    'another argument': both([`${CONTAINER}/args/-`, '--evil']),
    'a removed argument': both([`${CONTAINER}/args/1`]),
    'a command': both([`${CONTAINER}/command`, ['sh']]),
    'another variable': both([`${CONTAINER}/env/-`, { name: 'LD_PRELOAD', value: 'x' }]),
    'another value of a variable': both([`${CONTAINER}/env/0/value`, '2']),
    'a variable with a source in place of its value': both([
      `${CONTAINER}/env/0`,
      { name: 'MODE', valueFrom: { fieldRef: {} } },
    ]),
    'a removed variable': both([`${CONTAINER}/env`]),
    'another port': both([`${CONTAINER}/ports/-`, { containerPort: 22, protocol: 'TCP' }]),
    'a port with a name': both([`${CONTAINER}/ports/0/name`, 'http']),
    'a port of the host': both([`${CONTAINER}/ports/0/hostPort`, 80]),
    'a field in a selector, which is compared as a whole': both(['/spec/selector/matchExpressions', [{ key: 'a' }]]),
    'more processor': both([`${CONTAINER}/resources/limits/cpu`, '2']),
    'a removed limit': both([`${CONTAINER}/resources/limits/memory`]),
    'another annotation': both(['/metadata/annotations/evil.example~1run', 'x']),
    'another annotation of the Pods': both(['/spec/template/metadata/annotations', { a: 'b' }]),
    'another label': both(['/metadata/labels/team', 'evil']),
    'an owner': both(['/metadata/ownerReferences', [{ kind: 'Pod', name: 'x', uid: 'y' }]]),
    'a finalizer': both(['/metadata/finalizers', ['evil.example/keep']]),
    'the ownership annotation of another release': both(['/metadata/annotations/meta.helm.sh~1release-name', 'other']),
    'another number of replicas': both(['/spec/replicas', 0]),
    'a field with its default value': both(['/spec/template/spec/dnsPolicy', 'ClusterFirst']),
    'a field of the chart that is left out and gets its value by default': applied(
      edit(request, ['/spec/replicas']),
      filled,
    ),
    'a POST of all fields': applied(filled, filled, { operation: 'Update' }),
    'a POST of exactly the fields of the chart': applied(request, filled, { operation: 'Update' }),
    'fields of another version': applied(request, filled, { apiVersion: 'apps/v1beta1' }),
    'another version of the kind': applied({ ...request, apiVersion: 'apps/v2' }, { ...filled, apiVersion: 'apps/v2' }),
    'fields of a subresource': applied(request, filled, { subresource: 'scale' }),
    'empty managedFields': { ...filled, metadata: { ...(filled.metadata as Json), managedFields: [] } },
    'no managedFields': { ...filled, metadata: filled.metadata as Json },
    'two entries of managedFields': {
      ...filled,
      metadata: { ...(filled.metadata as Json), managedFields: [entryOf(request), entryOf(request)] },
    },
    'malformed fields': applied(request, filled, { fieldsV1: { ...entryOf(request).fieldsV1, 'x:y': {} } }),
    'an entry without fields': applied(request, filled, { fieldsV1: {} }),
  };
  for (const [what, after] of Object.entries(CASES))
    test(what, () => assert.equal(restores(chartDeployment, after), false));
});

describe('a CREATE of another kind', () => {
  const secret: Json = {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' } },
    ...{ data: { user: 'd2Vi' }, stringData: { password: 'correct horse' } },
  };
  const stored = (object: Json, data: Json): Json => {
    const { stringData: _text, ...rest } = marked(object);
    return { ...rest, type: 'Opaque', data };
  };
  const DATA = { user: 'd2Vi', password: Buffer.from('correct horse').toString('base64') };
  const statefulSet: Json = {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'web', namespace: 'wrong' } },
    spec: { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }] },
  };
  const claims = (more: Json, spec: Json = {}): Json => ({
    ...marked(statefulSet),
    spec: {
      volumeClaimTemplates: [
        {
          ...{
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'data' },
            status: { phase: 'Pending' },
          },
          ...more,
          spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', ...spec },
        },
      ],
    },
  });
  const role: Json = {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'web', creationTimestamp: null } },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  };
  const rules = (...verbs: readonly string[]): Json => ({
    ...marked(role),
    rules: [{ apiGroups: [''], resources: ['pods'], verbs }],
  });
  const widget: Json = {
    ...{ apiVersion: 'shop.test/v1', kind: 'Widget', metadata: { name: 'web' } },
    spec: { parts: [{ id: 'a' }] },
  };
  const parts = (part: Json): Json => ({ ...marked(widget), spec: { parts: [part] } });
  const job: Json = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'web' }, spec: { suspend: false } };

  const CASES: readonly (readonly [
    what: string,
    group: string,
    chart: Json,
    after: KubernetesObject,
    expected: boolean,
  ])[] = [
    ['a Secret whose text has become data', '', secret, applied(marked(secret), stored(secret, DATA)), true],
    [
      'a Secret with one more text',
      ...(['', secret] as const),
      applied(edit(marked(secret), ['/stringData/token', 'x']), stored(secret, { ...DATA, token: 'eA==' })),
      false,
    ],
    [
      'a Secret with another text',
      ...(['', secret] as const),
      applied(edit(marked(secret), ['/stringData/password', 'x']), stored(secret, { ...DATA, password: 'eA==' })),
      false,
    ],
    [
      'a StatefulSet with the defaults of its claims',
      'apps',
      statefulSet,
      applied(marked(statefulSet), claims({})),
      true,
    ],
    [
      'a StatefulSet with a claim on another class',
      ...(['apps', statefulSet] as const),
      applied(claims({}, { storageClassName: 'evil' }), claims({}, { storageClassName: 'evil' })),
      false,
    ],
    ['a Role', 'rbac.authorization.k8s.io', role, applied(marked(role), rules('get')), true],
    [
      'a Role with one more verb',
      'rbac.authorization.k8s.io',
      role,
      applied(rules('get', 'list'), rules('get', 'list')),
      false,
    ],
    ['a custom resource', 'shop.test', widget, applied(marked(widget), parts({ id: 'a' })), true],
    [
      'a custom resource with a value that is a default in other kinds',
      ...(['shop.test', widget] as const),
      applied(parts({ id: 'a', kind: 'PersistentVolumeClaim' }), parts({ id: 'a', kind: 'PersistentVolumeClaim' })),
      false,
    ],
    ['a Job, which would run again', 'batch', job, applied(marked(job)), false],
  ];
  for (const [what, group, chart, after, expected] of CASES)
    test(what, () => assert.equal(restores(chart, after, group), expected));

  test('a CREATE without a field that is false in the chart restores nothing', () => {
    const account: Json = {
      ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web' }, automountServiceAccountToken: false },
    };
    const without = edit(marked(account), ['/automountServiceAccountToken']);
    assert.ok(restores(account, applied(marked(account)), ''));
    assert.equal(restores(account, applied(without), ''), false);
  });
});

test('one more field at any place restores nothing', () => {
  const places: string[] = [];
  const collect = (value: unknown, pointer: string): void => {
    if (isMap(value)) places.push(pointer);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value))
      collect(child, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  };
  collect(request, '');
  // Other tests cover fields of the identity and fields that are set already.
  const isNew = (place: string, key: string): boolean => {
    const at = place
      .split('/')
      .slice(1)
      .reduce<unknown>((value, part) => (value as Json)[part.replaceAll('~1', '/').replaceAll('~0', '~')], request);
    return !Object.hasOwn(at as Json, key);
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...places),
      fc.string({ minLength: 1 }),
      fc.jsonValue({ maxDepth: 3 }).filter((value) => value !== null),
      (place, key, value) => {
        fc.pre(isNew(place, key) && !(place === '' && key === 'status'));
        const more = [[`${place}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, value]] as const;
        assert.equal(restores(chartDeployment, applied(edit(request, ...more), edit(filled, ...more))), false);
      },
    ),
    { numRuns: 500 },
  );
});

test('strange fields end in an answer', () => {
  fc.assert(
    fc.property(fc.object(), fc.object({ maxDepth: 5 }), (fieldsV1, after) => {
      assert.equal(restores(chartDeployment, applied(request, after as Json, { fieldsV1 })), false);
    }),
  );
  let [fields, deep]: [Json, Json] = [{}, {}];
  for (let level = 0; level < 100_000; level += 1) [fields, deep] = [{ 'f:a': fields }, { a: deep }];
  const document = { ...deep, apiVersion: 'v1', kind: 'X', metadata: { name: 'web' } };
  const after = {
    ...deep,
    apiVersion: 'v1',
    metadata: { managedFields: [{ operation: 'Apply', apiVersion: 'v1', fieldsV1: fields }] },
  };
  assert.equal(restores(document, after, 'x'), false);
});
