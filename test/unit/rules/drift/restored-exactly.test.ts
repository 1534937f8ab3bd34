import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asInstalled, edit, type Json, paths } from './fixtures.ts';

/** People bring a lost value of the chart back exactly: defaults of the API server may come with it, and nothing else. */

const POD = '/spec/template/spec';
const WEB = `${POD}/containers/0`;
const chart: Json = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'web',
            image: 'web:1',
            securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false },
            livenessProbe: { httpGet: { path: '/', port: 80 } },
          },
        ],
        tolerations: [{ key: 'spot' }],
        volumes: [{ name: 'conf', configMap: { name: 'web' } }],
      },
    },
  },
};
const service: Json = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { ports: [{ name: 'http', port: 80 }] },
};
const widget: Json = {
  apiVersion: 'x.example/v1',
  kind: 'Widget',
  metadata: { name: 'web' },
  spec: { access: { role: 'view' } },
};
const probe = {
  httpGet: { path: '/', port: 80, scheme: 'HTTP' },
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
};
const context = { runAsNonRoot: true, allowPrivilegeEscalation: false };
const container = {
  name: 'web',
  image: 'web:1',
  imagePullPolicy: 'IfNotPresent',
  resources: {},
  securityContext: context,
  livenessProbe: probe,
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};
const volume = { name: 'conf', configMap: { name: 'web', defaultMode: 420 } };

for (const [what, document, pointer, lost, exact, ...extras] of [
  [
    'a securityContext',
    chart,
    `${WEB}/securityContext`,
    undefined,
    context,
    { ...context, capabilities: { add: ['ALL'] } },
    { ...context, runAsUser: 0 },
  ],
  [
    'a container',
    chart,
    `${POD}/containers`,
    [{ name: 'other', image: 'other:1' }],
    [container],
    [{ ...container, env: [{ name: 'LD_PRELOAD', value: '/tmp/x.so' }] }],
    [{ ...container, securityContext: { ...context, privileged: true } }],
    [{ ...container, imagePullPolicy: 'Always' }],
    [{ ...container, resources: { limits: { cpu: '1' } } }],
  ],
  ['a probe', chart, `${WEB}/livenessProbe`, undefined, probe, { ...probe, failureThreshold: 1000 }],
  [
    'a list without names',
    chart,
    `${POD}/tolerations`,
    undefined,
    [{ key: 'spot' }],
    [{ key: 'spot', operator: 'Exists' }],
  ],
  [
    'a list without names that was emptied',
    chart,
    `${POD}/tolerations`,
    [{ key: 'other' }],
    [{ key: 'spot' }],
    [{ key: 'spot', operator: 'Exists' }],
    [{ key: 'spot' }, {}],
  ],
  [
    'a volume',
    chart,
    `${POD}/volumes`,
    undefined,
    [volume],
    [{ ...volume, configMap: { ...volume.configMap, optional: true } }],
    [{ ...volume, hostPath: { path: '/' } }],
  ],
  [
    'the port of a Service',
    service,
    '/spec/ports',
    [{ name: 'old', port: 81 }],
    [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 80 }],
    [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 9999 }],
    [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30000 }],
  ],
  [
    'a field of a custom resource',
    widget,
    '/spec/access',
    undefined,
    { role: 'view' },
    { role: 'view', more: ['admin'] },
  ],
] as const) {
  const before = edit(asInstalled(document), [pointer, lost]);
  test(`${what} is brought back exactly by a person, with the defaults of the API server`, () => {
    const drifted = paths('user', document, before, edit(before, [pointer, exact]));
    // What had taken its place goes: that is a change of its own where the list has names.
    const restored = drifted.filter((path) => !/\[(other|old)\]$/.test(path));
    assert.deepEqual(restored, []);
  });
  for (const [index, extra] of extras.entries()) {
    test(`${what} is not brought back by a person with more than the chart sets (${index + 1})`, () => {
      const drifted = paths('user', document, before, edit(before, [pointer, extra]));
      assert.ok(drifted.some((path) => !/\[(other|old)\]$/.test(path)));
    });
    test(`${what} is brought back by a service account with more than the chart sets (${index + 1})`, () => {
      const after = edit(before, [pointer, extra]);
      if (Array.isArray(extra) && extra.length > 1) return;
      assert.deepEqual(paths('serviceAccount', document, before, after), []);
    });
  }
}
