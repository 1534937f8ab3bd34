import { stringify } from 'yaml';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** What the shop chart takes (test/charts/shop/values.yaml), and which version of it. */
export interface Values {
  readonly image?: string;
  /** Null leaves the number to whoever scales. */
  readonly replicas?: number | null;
  readonly greeting?: string;
  readonly extraConfig?: Readonly<Record<string, string>>;
  readonly badPort?: boolean;
}

export interface Chart {
  readonly name: string;
  readonly version: string;
}

export const SHOP: Chart = { name: 'shop', version: '1.4.0' };

/** The documents of the shop chart, as `helm template` renders them (held against real Helm by the recording). */
export const renderShop = (release: string, values: Values): readonly KubernetesObject[] => {
  const { image = 'nginx:1.27', replicas = 2, greeting = 'hello', extraConfig = {}, badPort = false } = values;
  const metadata = { name: release };
  const app = { app: release };
  const container = {
    name: 'web',
    image,
    ports: [{ containerPort: 80 }],
    envFrom: [{ configMapRef: { name: release } }],
    resources: { requests: { cpu: '100m', memory: '64Mi' } },
  };
  const configMap = (name: string, data: Readonly<Record<string, string>>): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data,
  });
  // In the order in which Helm installs kinds.
  return [
    configMap(release, { GREETING: greeting }),
    ...Object.entries(extraConfig).map(([key, value]) => configMap(`${release}-${key}`, { value })),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: app, ports: [{ port: badPort ? 99_999 : 80 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...metadata, labels: app },
      spec: {
        ...(replicas !== null && { replicas }),
        selector: { matchLabels: app },
        template: { metadata: { labels: app }, spec: { containers: [container] } },
      },
    },
  ];
};

export const toManifest = (documents: readonly KubernetesObject[]): string =>
  documents.map((document) => `---\n# Source: shop/templates/web.yaml\n${stringify(document)}`).join('');

/** A document as Helm sends it: with the marks of ownership that the stored manifest lacks. */
export const withMarks = (document: KubernetesObject, release: string, namespace: string): KubernetesObject => {
  const { metadata = {} } = document;
  return {
    ...document,
    metadata: {
      ...metadata,
      namespace,
      labels: { ...metadata.labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        ...metadata.annotations,
        'meta.helm.sh/release-name': release,
        'meta.helm.sh/release-namespace': namespace,
      },
    },
  };
};
