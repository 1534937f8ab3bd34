import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkObject } from '../../../src/drift/check-object.ts';
import { compareChartFields } from '../../../src/drift/compare.ts';
import { createMissingRights } from '../../../src/drift/missing-rights.ts';
import { isUsualAddition } from '../../../src/drift/own-doing.ts';
import { placeDocument, toStored } from '../../../src/drift/placed-document.ts';
import { repairObject } from '../../../src/drift/repair-object.ts';
import { createAutoscalers } from '../../../src/facts/autoscalers.ts';
import type { Api, ApiRequest } from '../../../src/kubernetes/api.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { leftPathsOf } from '../../../src/policy/left-paths.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { builtInPolicy } from '../../../src/policy/policy-in-force.ts';
import { live, MARKS } from './objects.ts';

/** What the sweep neither tells of nor repairs, because it is not the chart's. */

const { signal } = new AbortController();
const document = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { replicas: 2, paused: false, template: { spec: { containers: [{ name: 'web', image: 'web:1' }] } } },
};
const manifest = { ...{ group: 'apps', version: 'v1', kind: 'Deployment', namespace: '', name: 'web' }, document };
const liveWith = (change: object): KubernetesObject =>
  live('apps/v1', 'Deployment', { spec: { ...document.spec, ...change } });

/** An API server with one Deployment, and autoscalers of these targets. It applies by putting `spec` over `spec`. */
const serverWith = (object: KubernetesObject, targets: readonly string[]) => {
  const applied: KubernetesObject[] = [];
  const request = async ({ method = 'GET', path, query, body }: ApiRequest): Promise<unknown> => {
    if (path.includes('horizontalpodautoscalers'))
      return { columnDefinitions: [{ name: 'Reference' }], rows: targets.map((target) => ({ cells: [target] })) };
    if (method === 'GET') return object;
    const wanted = body as KubernetesObject;
    if (query?.dryRun === undefined) applied.push(wanted);
    return { ...object, spec: { ...(object.spec as object), ...(wanted.spec as object) } };
  };
  return { api: { request } as unknown as Api, applied };
};
const path = (): string => '/apis/apps/v1/namespaces/shop/deployments/web';
const kinds = { find: async () => ({ group: 'apps', resource: 'deployments', namespaced: true, path }) };

const look = async (object: KubernetesObject, targets: readonly string[], more: Partial<Policy['drift']> = {}) => {
  const { api, applied } = serverWith(object, targets);
  const drift = { ...builtInPolicy(600_000).drift, ...more };
  const by = { revision: 'r1', marks: MARKS, drift, installed: [], autoscalers: createAutoscalers(api) };
  const rights = createMissingRights(Date.now, 1_000);
  const checked = await checkObject({ api, kinds, rights }, by, manifest, signal);
  const found = checked.found === 'drift' ? checked.drift : undefined;
  const repair = async (): Promise<{ readonly replicas?: number; readonly paused?: boolean }> => {
    assert.ok(found);
    const ignore = leftPathsOf(drift, found.object, found.left);
    await repairObject({ api, kinds }, found, { prune: false, dryRun: false, marks: MARKS, ignore }, signal);
    return (applied[0]?.spec ?? {}) as object;
  };
  return { paths: found?.changed.map(({ path: changed }) => changed) ?? [], repair };
};

describe('the number of replicas', () => {
  test('that an autoscaler has set is no drift', async () => {
    assert.deepEqual((await look(liveWith({ replicas: 4 }), ['Deployment/web'])).paths, []);
    assert.deepEqual((await look(liveWith({ replicas: 4 }), ['StatefulSet/web', 'Deployment/web2'])).paths, [
      'spec.replicas',
    ]);
  });

  test('that an autoscaler has set stays when another field is repaired', async () => {
    const { paths, repair } = await look(liveWith({ replicas: 4, paused: true }), ['Deployment/web']);
    assert.deepEqual(paths, ['spec.paused']);
    const { replicas, paused } = await repair();
    assert.deepEqual([replicas, paused], [4, false]);
  });

  test('is set back with the others where no autoscaler is', async () => {
    const { repair } = await look(liveWith({ replicas: 4, paused: true }), []);
    assert.deepEqual(await repair(), document.spec);
  });

  test('that a policy leaves to somebody is no drift, and stays', async () => {
    const keda = { subjects: [{ kind: 'User', name: 'x' }], group: '*', kind: '*', matchesName: () => true } as const;
    const allow = [{ ...keda, paths: ['/spec/replicas'], whileFrozen: false }];
    for (const more of [{ allow }, { presets: ['keda'] }, { ignore: allow }]) {
      assert.deepEqual((await look(liveWith({ replicas: 0 }), [], more)).paths, []);
      const { repair } = await look(liveWith({ replicas: 0, paused: true }), [], more);
      assert.equal((await repair()).replicas, 0);
    }
  });
});

test('a webhook that was raised from Ignore to Fail is no drift, and one that was lowered is', () => {
  const kind = 'ValidatingWebhookConfiguration';
  const compare = (chart: string, now: string, in_: string = kind): number => {
    const of = (failurePolicy: string) => ({ webhooks: [{ name: 'a.example', failurePolicy }] });
    const apiVersion = 'admissionregistration.k8s.io/v1';
    const placed = placeDocument({ apiVersion, kind: in_, metadata: { name: 'web' }, ...of(chart) }, MARKS, undefined);
    const desired = toStored(placed, MARKS);
    return compareChartFields({
      desired,
      live: live(apiVersion, in_, of(now)),
      document: placed,
      marks: MARKS,
      ignore: [],
    }).length;
  };
  assert.equal(compare('Ignore', 'Fail'), 0);
  assert.equal(compare('Fail', 'Ignore'), 1);
  assert.equal(compare('Ignore', 'Other'), 1);
  assert.equal(compare('Ignore', 'Fail', 'Other'), 1);
});

describe('an addition by a controller', () => {
  const item = (label: string) => ({ label, managedKey: undefined, beforeIndex: undefined, afterIndex: 0 });
  const template = ['spec', 'template', 'spec'] as const;
  const usual: readonly (readonly [name: string, steps: Parameters<typeof isUsualAddition>[0], usual: boolean])[] = [
    ['the variable of Reloader', [...template, 'containers', item('web'), 'env', item('STAKATER_WEB_CONFIGMAP')], true],
    ['another variable', [...template, 'containers', item('web'), 'env', item('MODE')], false],
    ['a secret for images', [...template, 'imagePullSecrets', item('registry')], true],
    ['all secrets for images', [...template, 'imagePullSecrets'], true],
    ['the hash in a Service', ['spec', 'selector', 'rollouts-pod-template-hash'], true],
    ['the hash in a subset', ['spec', 'subsets', item('canary'), 'labels', 'rollouts-pod-template-hash'], true],
    ['another label of a selector', ['spec', 'selector', 'version'], false],
    ['a key of that name in a ConfigMap', ['data', 'rollouts-pod-template-hash'], false],
  ];
  for (const [name, steps, expected] of usual)
    test(`${name} is ${expected ? 'no drift' : 'drift'}`, () => assert.equal(isUsualAddition(steps), expected));
});
