import { gzipSync } from 'node:zlib';
import { stringify } from 'yaml';
import type { ApiClient } from '../cluster/harness/api-client.ts';

/** Releases as Helm 4 would have stored and applied them, without the minutes that Helm takes for a thousand. */

export const FORGED_NAMESPACE = 'bench-sweep';

/** What a small chart has. No replicas, so that controllers would have nothing to do either. */
const objectsOf = (name: string): readonly { apiVersion: string; kind: string; [field: string]: unknown }[] => {
  const labels = { app: name };
  const container = {
    name: 'web',
    image: 'nginx:1.27',
    ports: [{ containerPort: 80 }],
    envFrom: [{ configMapRef: { name } }],
    resources: { requests: { cpu: '100m', memory: '64Mi' } },
  };
  const template = { metadata: { labels }, spec: { serviceAccountName: name, containers: [container] } };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { password: name } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { GREETING: 'hello' } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: labels, ports: [{ port: 80 }] } },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels } },
      spec: { replicas: 0, selector: { matchLabels: labels }, template },
    },
  ];
};

export const OBJECTS_A_RELEASE = objectsOf('x').length;

const PLURALS: Readonly<Record<string, string>> = {
  ServiceAccount: '/api/v1',
  Secret: '/api/v1',
  ConfigMap: '/api/v1',
  Service: '/api/v1',
  Deployment: '/apis/apps/v1',
};

export const pathOfForged = (kind: string, name: string): string =>
  `${PLURALS[kind]}/namespaces/${FORGED_NAMESPACE}/${kind.toLowerCase()}s/${name}`;

const recordOf = (name: string): object => {
  const payload = {
    name,
    info: { status: 'deployed' },
    chart: { metadata: { name: 'shop', version: '1.4.0' } },
    manifest: objectsOf(name)
      .map((object) => `---\n${stringify(object)}`)
      .join(''),
    version: 1,
    namespace: FORGED_NAMESPACE,
  };
  const release = gzipSync(JSON.stringify(payload)).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v1`,
      labels: { owner: 'helm', name, status: 'deployed', version: '1' },
    },
    stringData: { release },
  };
};

export const forgeRelease = async (client: ApiClient, name: string): Promise<void> => {
  for (const object of objectsOf(name)) {
    const metadata = {
      ...(object.metadata as object),
      labels: { ...(object.metadata as { labels?: object }).labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': FORGED_NAMESPACE },
    };
    const path = `${pathOfForged(object.kind, name)}?fieldManager=helm`;
    await client.send('PATCH', path, { ...object, metadata }, 'application/apply-patch+yaml');
  }
  await client.send('POST', `/api/v1/namespaces/${FORGED_NAMESPACE}/secrets`, recordOf(name));
};
