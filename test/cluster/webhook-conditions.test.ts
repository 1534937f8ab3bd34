/**
 * Which requests the shipped webhook configurations ask Belay about, judged by the API server itself. Every webhook is pointed at a
 * recorder under its own name and set to failurePolicy Fail, so that a condition that fails to evaluate shows as a refused request.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { issueCertificates } from '../../src/certificates/issue.ts';
import { type Api, createApi } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';

interface Webhook {
  name: string;
  clientConfig: Record<string, unknown>;
  failurePolicy: string;
}

interface Configuration {
  metadata: { name: string };
  webhooks: Webhook[];
}

const KINDS = ['mutating', 'validating'] as const;

const startRecorder = async (calls: Set<string>): Promise<{ server: Server; ca: string; port: number }> => {
  const issued = await issueCertificates({ now: Date.now(), dnsNames: ['localhost'] });
  const server = createServer({ key: issued.key, cert: issued.cert }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    calls.add(decodeURIComponent((request.url ?? '').slice(1).replace(/\?.*$/, '')));
    const { uid } = (JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } }).request;
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, ca: issued.ca, port: (server.address() as AddressInfo).port };
};

const installPointedAt = async (api: Api, recorder: { ca: string; port: number }): Promise<void> => {
  for (const kind of KINDS) {
    const file = new URL(`../../manifests/base/${kind}-webhooks.yaml`, import.meta.url);
    const [document] = parseAllDocuments(await readFile(file, 'utf8'));
    const configuration = document?.toJS() as Configuration;
    for (const webhook of configuration.webhooks) {
      webhook.failurePolicy = 'Fail';
      webhook.clientConfig = {
        url: `https://localhost:${recorder.port}/${kind}:${webhook.name}`,
        caBundle: Buffer.from(recorder.ca).toString('base64'),
      };
    }
    await api.request({
      method: 'POST',
      path: `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations`,
      body: configuration,
    });
  }
};

const RECORD = { owner: 'helm', name: 'web', status: 'deployed', version: '1' };
const MARKS = { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' };
const HELM = { 'app.kubernetes.io/managed-by': 'Helm' };
const records = ['mutating:records.belay.dev', 'validating:records.belay.dev'];
const names = ['validating:record-names.belay.dev'];
const namespaces = ['mutating:namespaces.belay.dev', 'validating:namespaces.belay.dev'];
const objects = ['validating:objects.belay.dev'];
const claims = ['validating:claims.belay.dev'];
const scale = ['validating:scale.belay.dev'];

interface Case {
  readonly what: string;
  readonly as?: { readonly user: string; readonly group?: string };
  readonly method?: 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly body?: unknown;
  readonly asked: readonly string[];
}

const shop = '/api/v1/namespaces/shop';
const secrets = `${shop}/secrets`;
const configMaps = `${shop}/configmaps`;
const leases = '/apis/coordination.k8s.io/v1/namespaces/shop/leases';
const deployments = '/apis/apps/v1/namespaces/shop/deployments';
const named = (name: string, labels = {}, annotations = {}, rest = {}) => ({
  metadata: { name, labels, annotations },
  ...rest,
});
const deployment = (name: string, labels: Record<string, string>, annotations: Record<string, string>) => ({
  ...named(name, labels, annotations),
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'c' }] } },
  },
});
const namespaceController = { user: 'system:serviceaccount:kube-system:namespace-controller' };
const collector = { user: 'system:serviceaccount:kube-system:generic-garbage-collector' };
const kubeSystemJob = { user: 'system:serviceaccount:kube-system:helm-traefik' };
const node = { user: 'system:node:n1', group: 'system:nodes' };
const belay = { user: 'system:serviceaccount:belay-system:belay' };
const v1 = 'sh.helm.release.v1.web.v1';

// In order: later rows change and delete what earlier ones made.
const CASES: readonly Case[] = [
  { what: 'a record is created', method: 'POST', path: secrets, body: named(v1, RECORD), asked: records },
  {
    what: 'a record is labelled',
    path: `${secrets}/${v1}`,
    body: { metadata: { labels: { x: 'y' } } },
    asked: records,
  },
  {
    what: 'a service account of kube-system writes a record (k3s runs Helm so)',
    as: kubeSystemJob,
    path: `${secrets}/${v1}`,
    body: { metadata: { labels: { x: 'z' } } },
    asked: records,
  },
  {
    what: 'a record loses the label that selects it',
    path: `${secrets}/${v1}`,
    body: { metadata: { labels: { owner: null } } },
    asked: records,
  },
  {
    what: 'an object with the name of a record and no label of Helm is created',
    method: 'POST',
    path: secrets,
    body: named('sh.helm.release.v1.web.v2', { owner: 'me' }),
    asked: names,
  },
  {
    what: 'an object with the name of a record and without labels is created',
    method: 'POST',
    path: configMaps,
    body: named('sh.helm.release.v1.web.v2'),
    asked: names,
  },
  { what: 'what is no record any more is edited', path: `${secrets}/${v1}`, body: { data: { a: '' } }, asked: [] },
  {
    what: 'a record gets the label that selects it',
    path: `${secrets}/${v1}`,
    body: { metadata: { labels: { owner: 'helm' } } },
    asked: records,
  },
  { what: 'a record is deleted', method: 'DELETE', path: `${secrets}/${v1}`, asked: ['validating:records.belay.dev'] },
  {
    what: 'a record in a ConfigMap is created',
    method: 'POST',
    path: configMaps,
    body: named(v1, RECORD),
    asked: records,
  },
  {
    what: 'a record in a ConfigMap is collected as garbage',
    as: collector,
    method: 'DELETE',
    path: `${configMaps}/${v1}`,
    asked: [],
  },
  {
    what: 'a forged record of another name is created',
    method: 'POST',
    path: secrets,
    body: named('forged', RECORD, {}, { stringData: { release: 'x' } }),
    asked: records,
  },
  {
    what: 'a record without a name is created (generateName)',
    method: 'POST',
    path: secrets,
    body: { metadata: { generateName: 'sh.helm.release.v1.web.v', labels: RECORD } },
    asked: ['validating:records.belay.dev'],
  },
  {
    what: 'another Secret labelled owner=helm is created (generateName, no annotations)',
    method: 'POST',
    path: secrets,
    body: { metadata: { generateName: 'mine-', labels: { owner: 'helm' } } },
    asked: [],
  },
  {
    what: 'a Secret without labels is created',
    method: 'POST',
    path: secrets,
    body: { metadata: { name: 'plain' } },
    asked: [],
  },
  {
    what: 'records are deleted as a collection',
    method: 'DELETE',
    path: secrets,
    query: { labelSelector: 'owner=helm,name=web' },
    asked: ['validating:records.belay.dev'],
  },
  { what: 'all Secrets are deleted as a collection', method: 'DELETE', path: secrets, asked: [] },
  {
    what: "a record in Belay's own namespace is created",
    method: 'POST',
    path: '/api/v1/namespaces/belay-system/secrets',
    body: named(v1, RECORD),
    asked: [],
  },
  {
    what: 'an object of a release is created',
    method: 'POST',
    path: configMaps,
    body: named('c', HELM, MARKS),
    asked: objects,
  },
  {
    what: 'an object of a release loses its label',
    path: `${configMaps}/c`,
    body: { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } },
    asked: objects,
  },
  {
    what: 'an object of a release gets its label back',
    path: `${configMaps}/c`,
    body: { metadata: { labels: HELM } },
    asked: objects,
  },
  {
    what: 'an object of a release loses an annotation',
    path: `${configMaps}/c`,
    body: { metadata: { annotations: { 'meta.helm.sh/release-name': null } } },
    asked: objects,
  },
  {
    what: 'an object that carries one mark alone is changed',
    path: `${configMaps}/c`,
    body: { data: { a: '1' } },
    asked: [],
  },
  {
    what: 'an object gets the second mark',
    path: `${configMaps}/c`,
    body: { metadata: { annotations: MARKS } },
    asked: objects,
  },
  {
    what: 'Belay itself changes an object of a release',
    as: belay,
    path: `${configMaps}/c`,
    body: { data: { a: '2' } },
    asked: [],
  },
  {
    what: 'a controller of kube-system changes an object of a release',
    as: kubeSystemJob,
    path: `${configMaps}/c`,
    body: { data: { a: '3' } },
    asked: [],
  },
  {
    what: 'a node changes an object of a release',
    as: node,
    path: `${configMaps}/c`,
    body: { data: { a: '4' } },
    asked: [],
  },
  {
    what: 'objects of a release are deleted as a collection',
    method: 'DELETE',
    path: configMaps,
    query: { labelSelector: 'app.kubernetes.io/managed-by=Helm' },
    asked: objects,
  },
  {
    what: 'an object without labels and annotations is created',
    method: 'POST',
    path: configMaps,
    body: { metadata: { name: 'plain' } },
    asked: [],
  },
  {
    what: 'an object with the label and no annotations is created',
    method: 'POST',
    path: configMaps,
    body: { metadata: { generateName: 'rendered-', labels: HELM } },
    asked: [],
  },
  { what: 'objects without marks are deleted as a collection', method: 'DELETE', path: configMaps, asked: [] },
  {
    what: 'a cluster-scoped object of a release is created',
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    body: named('of-a-release', HELM, MARKS),
    asked: objects,
  },
  {
    what: 'a Deployment of a release is created',
    method: 'POST',
    path: deployments,
    body: deployment('web', HELM, MARKS),
    asked: objects,
  },
  { what: 'it is scaled', path: `${deployments}/web/scale`, body: { spec: { replicas: 1 } }, asked: scale },
  {
    what: 'an autoscaler scales it',
    as: { user: 'system:serviceaccount:kube-system:horizontal-pod-autoscaler' },
    path: `${deployments}/web/scale`,
    body: { spec: { replicas: 2 } },
    asked: [],
  },
  { what: 'its status is written', path: `${deployments}/web/status`, body: { status: { replicas: 2 } }, asked: [] },
  {
    what: 'a namespace without annotations is created',
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: 'plain' } },
    asked: [],
  },
  {
    what: 'a namespace without annotations is labelled',
    path: '/api/v1/namespaces/plain',
    body: { metadata: { labels: { x: 'y' } } },
    asked: [],
  },
  {
    what: 'a namespace is locked',
    path: '/api/v1/namespaces/plain',
    body: { metadata: { annotations: { 'belay.dev/freeze': 'x' } } },
    asked: namespaces,
  },
  {
    what: 'a locked namespace is labelled',
    path: '/api/v1/namespaces/plain',
    body: { metadata: { labels: { x: 'z' } } },
    asked: namespaces,
  },
  {
    what: 'a namespace is unlocked',
    path: '/api/v1/namespaces/plain',
    body: { metadata: { annotations: { 'belay.dev/freeze': null } } },
    asked: namespaces,
  },
  {
    what: 'a namespace without a lock of its own is deleted',
    method: 'DELETE',
    path: '/api/v1/namespaces/plain',
    asked: ['validating:namespace-deletes.belay.dev'],
  },
  {
    what: 'a namespace is created locked',
    method: 'POST',
    path: '/api/v1/namespaces',
    body: named('locked', {}, { 'belay.dev/freeze': 'x' }),
    asked: namespaces,
  },
  {
    what: 'a locked namespace is deleted',
    method: 'DELETE',
    path: '/api/v1/namespaces/locked',
    asked: ['validating:namespaces.belay.dev'],
  },
  {
    what: "Belay's own namespace is annotated",
    path: '/api/v1/namespaces/belay-system',
    body: { metadata: { annotations: { 'belay.dev/freeze': 'x' } } },
    asked: [],
  },
  {
    what: 'Belay writes a claim',
    as: belay,
    method: 'POST',
    path: leases,
    body: named('belay.web', { 'belay.dev/claim': 'true' }),
    asked: [],
  },
  {
    what: 'somebody else renews a claim',
    path: `${leases}/belay.web`,
    body: { spec: { holderIdentity: 'me' } },
    asked: claims,
  },
  {
    what: 'a claim loses its label',
    path: `${leases}/belay.web`,
    body: { metadata: { labels: { 'belay.dev/claim': null } } },
    asked: claims,
  },
  {
    what: 'somebody else writes a claim',
    method: 'POST',
    path: leases,
    body: { metadata: { generateName: 'belay-', labels: { 'belay.dev/claim': 'true' } } },
    asked: claims,
  },
  {
    what: 'somebody makes a Lease of a claim’s name without the label',
    method: 'POST',
    path: leases,
    body: { metadata: { name: 'belay.early' } },
    asked: claims,
  },
  {
    what: 'a Lease of the name of a turn of helm lock is written',
    method: 'POST',
    path: leases,
    body: { metadata: { name: 'belay-lock.web' } },
    asked: [],
  },
  {
    what: 'claims go with their namespace',
    as: namespaceController,
    method: 'DELETE',
    path: leases,
    query: { labelSelector: 'belay.dev/claim=true' },
    asked: [],
  },
  {
    what: 'a Lease of somebody else is created',
    method: 'POST',
    path: leases,
    body: { metadata: { name: 'l' } },
    asked: [],
  },
];

describe('the webhook configurations', () => {
  const calls = new Set<string>();
  let recorder: Awaited<ReturnType<typeof startRecorder>>;
  let plane: ControlPlane;
  let admin: Api;

  /** Acts as somebody else, by impersonation: with the administrator's rights unless told other groups. */
  const as = (user: string, group = 'system:masters'): Api => {
    const connection = connect(plane.adminKubeconfig, Date.now);
    return createApi({
      ...connection,
      headers: async () => ({ ...(await connection.headers()), 'impersonate-user': user, 'impersonate-group': group }),
    });
  };

  before(async () => {
    plane = await startControlPlane({ controllers: false, helm: [], quiet: true });
    admin = createApi(connect(plane.adminKubeconfig, Date.now));
    for (const name of ['shop', 'belay-system']) {
      await admin.request({ method: 'POST', path: '/api/v1/namespaces', body: named(name) });
    }
    await admin.request({
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      body: {
        metadata: { name: 'nodes' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
      },
    });
    recorder = await startRecorder(calls);
    await installPointedAt(admin, recorder);
    // The API server takes a moment to notice its new webhooks: until a review has arrived of each kind.
    while (!records.every((name) => calls.has(name))) {
      await admin.request({
        method: 'POST',
        path: secrets,
        query: { dryRun: 'All' },
        body: named(v1, RECORD),
      });
    }
  });
  after(async () => {
    recorder?.server.closeAllConnections();
    recorder?.server.close();
    await plane?.stop();
  });

  for (const row of CASES) {
    test(`${row.what}: ${row.asked.length === 0 ? 'nobody is asked' : row.asked.join(' and ')}`, async () => {
      calls.clear();
      const api = row.as === undefined ? admin : as(row.as.user, row.as.group);
      await api.request({
        method: row.method ?? 'PATCH',
        path: row.path,
        contentType: (row.method ?? 'PATCH') === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        ...(row.query === undefined ? {} : { query: row.query }),
        ...(row.body === undefined ? {} : { body: row.body }),
      });
      assert.deepEqual([...calls].sort(), [...row.asked].sort());
    });
  }
});
