import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isController, isOfCluster } from '../../../../src/policy/controllers.ts';
import { asInstalled, edit, type Json, paths } from './fixtures.ts';

/** What controllers fill in, of their own accord, in objects that a chart sets. */

describe('a user', () => {
  const cases: readonly (readonly [username: string, who: 'cluster' | 'controller' | 'person'])[] = [
    ['system:vpa-recommender', 'cluster'],
    ['system:controller:glbc', 'cluster'],
    ['system:kube-scheduler', 'cluster'],
    ['system:serviceaccount:keda:keda-operator', 'controller'],
    ['eks:addon-manager', 'controller'],
    ['system:anonymous', 'person'],
    ['system:admin', 'person'],
    ['system:masters', 'person'],
    ['systematic', 'person'],
    ['system', 'person'],
    ['System:vpa-recommender', 'person'],
    [' system:vpa-recommender', 'person'],
    ['oidc:system:vpa-recommender', 'person'],
    ['eks', 'person'],
    ['eksadmin', 'person'],
    ['alice', 'person'],
    ['', 'person'],
  ];
  for (const [username, who] of cases) {
    test(`${JSON.stringify(username)} is ${who === 'person' ? 'a person' : `a ${who}`}`, () => {
      assert.equal(isController(username), who !== 'person');
      assert.equal(isOfCluster(username), who === 'cluster');
    });
  }
});

const installation: Json = {
  apiVersion: 'operator.tigera.io/v1',
  kind: 'Installation',
  metadata: { name: 'default' },
  spec: { variant: '', calicoNetwork: { ipPools: [{ cidr: '10.0.0.0/16', encapsulation: 'VXLAN' }] } },
};
const ingress: Json = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web' },
  spec: { rules: [{ host: 'a.example', http: { paths: [{ path: '/', backend: { service: { name: 'web' } } }] } }] },
};
const policy: Json = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'web' },
  spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: [{}], egress: [{ ports: [{ port: 53 }] }] },
};
const POOL = '/spec/calicoNetwork/ipPools/0';

interface Case {
  readonly name: string;
  readonly document: Json;
  readonly edits: readonly (readonly [pointer: string, value?: unknown])[];
  readonly serviceAccount: readonly string[];
  readonly user: readonly string[];
}

const POOLS = 'spec.calicoNetwork.ipPools';

describe('a list without keys', () => {
  const cases: readonly Case[] = [
    {
      name: 'has its blanks filled in',
      document: installation,
      edits: [
        [`${POOL}/blockSize`, 26],
        [`${POOL}/nodeSelector`, 'all()'],
        [`${POOL}/allowedUses`, ['Workload']],
      ],
      serviceAccount: [],
      user: [POOLS],
    },
    {
      name: 'keeps what the chart sets in an item',
      document: installation,
      edits: [
        [`${POOL}/blockSize`, 26],
        [`${POOL}/cidr`, '10.1.0.0/16'],
      ],
      serviceAccount: [POOLS],
      user: [POOLS],
    },
    {
      name: 'gets no item more',
      document: installation,
      edits: [['/spec/calicoNetwork/ipPools/-', { cidr: '10.1.0.0/16' }]],
      serviceAccount: [POOLS],
      user: [POOLS],
    },
    {
      name: 'loses no item',
      document: installation,
      edits: [[POOL]],
      serviceAccount: [POOLS],
      user: [POOLS],
    },
    {
      name: 'keeps a field of an item of an item',
      document: ingress,
      edits: [['/spec/rules/0/http/paths/0/backend/service/name', 'evil']],
      serviceAccount: ['spec.rules'],
      user: ['spec.rules'],
    },
    {
      name: 'gets no item more in an item',
      document: ingress,
      edits: [['/spec/rules/0/http/paths/-', { path: '/evil', backend: { service: { name: 'evil' } } }]],
      serviceAccount: ['spec.rules'],
      user: ['spec.rules'],
    },
    {
      name: 'keeps an item that is empty on purpose',
      document: policy,
      edits: [['/spec/ingress/0/from', [{ podSelector: {} }]]],
      serviceAccount: ['spec.ingress'],
      user: ['spec.ingress'],
    },
    {
      name: 'keeps its order, where that tells what the chart sets',
      document: {
        ...policy,
        spec: { ingress: [{ from: [{ ipBlock: { cidr: '1.1.1.1/32' } }] }, { ports: [{ port: 80 }] }] },
      },
      edits: [['/spec/ingress', [{ ports: [{ port: 80 }] }, { from: [{ ipBlock: { cidr: '1.1.1.1/32' } }] }]]],
      serviceAccount: ['spec.ingress'],
      user: ['spec.ingress'],
    },
  ];
  for (const { name, document, edits, ...expected } of cases) {
    test(name, () => {
      const before = asInstalled(document);
      for (const subject of ['serviceAccount', 'user'] as const)
        assert.deepEqual(paths(subject, document, before, edit(before, ...edits)), expected[subject], subject);
    });
  }
});

describe('an empty text that the chart sets', () => {
  const settings: Json = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web', labels: { tier: '' } },
    data: { TOKEN: '', MODE: 'strict' },
  };
  const before = asInstalled(settings);

  test('is filled in by a service account, and by no person', () => {
    const after = edit(before, ['/data/TOKEN', 'abc'], ['/metadata/labels/tier', 'web']);
    assert.deepEqual(paths('serviceAccount', settings, before, after), []);
    assert.deepEqual(paths('user', settings, before, after), ['metadata.labels.tier', 'data.TOKEN']);
  });

  test('leaves its neighbours as they are', () => {
    for (const value of ['', 'lax', undefined]) {
      const after = edit(before, ['/data/TOKEN', 'abc'], ['/data/MODE', value]);
      assert.deepEqual(paths('serviceAccount', settings, before, after), ['data.MODE']);
    }
  });

  test('is no false and no zero', () => {
    const widget = {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'web' },
      spec: { on: false, n: 0 },
    };
    const live = asInstalled(widget);
    assert.deepEqual(paths('serviceAccount', widget, live, edit(live, ['/spec/on', true], ['/spec/n', 1])), [
      'spec.on',
      'spec.n',
    ]);
  });
});

describe('a restart of an Argo Rollout', () => {
  const spec = { replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'web:1' }] } } };
  const rollout: Json = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata: { name: 'web' }, spec };
  const at = ['/spec/restartAt', '2026-11-28T09:00:00Z'] as const;

  test('is a person’s, by its own field', () => {
    const before = asInstalled(rollout);
    assert.deepEqual(paths('user', rollout, before, edit(before, at)), []);
    assert.deepEqual(paths('user', rollout, before, edit(before, at, ['/spec/paused', true])), ['spec.paused']);
    assert.deepEqual(paths('user', rollout, before, edit(before, at), { countsRestart: true }), ['spec.restartAt']);
  });

  test('is none in an object of another kind', () => {
    for (const other of [{ apiVersion: 'apps/v1', kind: 'Deployment' }, { kind: 'Experiment' }]) {
      const document = { ...rollout, ...other };
      const before = asInstalled(document);
      assert.deepEqual(paths('user', document, before, edit(before, at)), ['spec.restartAt']);
    }
  });
});
