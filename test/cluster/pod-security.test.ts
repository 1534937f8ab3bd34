import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { fails, succeeds } from './support/asking.ts';

/** The Pods of manifests/base, held against the Pod Security Standard `restricted` by the API server's own PodSecurity admission. */

const BASE = join(import.meta.dirname, '..', '..', 'manifests', 'base');
let plane: ControlPlane;
let said: string;

before(async () => {
  plane = await startControlPlane({ quiet: true, helm: [] });
  const { code, stdout, stderr } = await plane.kubectl(['apply', '-k', BASE]);
  assert.equal(code, 0, stderr);
  said = stdout + stderr;
});
after(() => plane?.stop());

const asPod = (template: KubernetesObject, change: object = {}): string =>
  JSON.stringify({
    ...template,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, name: 'by-hand' },
    spec: { ...(template.spec as object), ...change },
  });

test('the base asks for `restricted` itself, and is applied without a warning', async () => {
  const namespace = await plane.api.read('namespace/belay-system');
  for (const mode of ['enforce', 'warn', 'audit'])
    assert.equal(namespace.metadata?.labels?.[`pod-security.kubernetes.io/${mode}`], 'restricted');
  assert.doesNotMatch(said, /Warning|PodSecurity/);
});

test('its Pods are let in under `restricted`, and one with more rights is not', async () => {
  await waitUntil('the ReplicaSet controller has made both Pods', async () => {
    const pods = await plane.api.list('pod', { namespace: 'belay-system' });
    return pods.length === 2 || undefined;
  });
  const deployment = await plane.api.read<{ readonly spec: { template: KubernetesObject } }>('deployment/belay', {
    namespace: 'belay-system',
  });
  const { template } = deployment.spec;
  const create = (input: string) =>
    plane.kubectl(['create', '--dry-run=server', '-n', 'belay-system', '-f', '-'], { input });
  succeeds(await create(asPod(template)));
  for (const more of [
    { hostNetwork: true },
    { securityContext: {} },
    { volumes: [{ name: 'h', hostPath: { path: '/' } }] },
  ])
    fails(await create(asPod(template, more)), /violates PodSecurity "restricted:latest"/);
});
