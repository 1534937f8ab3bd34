import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** Helm's record may hold 1 MiB of data (k8s.io/api/core/v1 MaxSecretSize); this comes near it. */
const DATA_BYTES = 1_030_000;

/** base64 of gzip of base64 of chance: gzip takes back what the inner base64 added. */
const RANDOM_BYTES = Math.floor((DATA_BYTES * 3) / 4 / 1.012) - 12_000;
const FILES = 12;

const manifestOf = (namespace: string, objects: number): string =>
  Array.from(
    { length: objects },
    (_, index) => `---
# Source: big/templates/configmap-${index}.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: big-${index}
  namespace: ${namespace}
  labels:
    app.kubernetes.io/name: big
    app.kubernetes.io/instance: big
data:
  greeting: "hello ${index}"
  settings.properties: |
    replicas=${index}
    colour=blue
`,
  ).join('');

/** A record such as Helm stores it for a chart with large files: hard to compress, near the limit of a Secret. */
export interface BigRecord {
  readonly path: string;
  /** The Secret with the hooks' last run at this number, as Helm writes it while its operation is pending. */
  at(run: number): KubernetesObject;
}

export const createBigRecord = (
  namespace: string,
  { name, revision, status } = { name: 'big', revision: 1, status: 'pending-install' },
): BigRecord => {
  const file = (index: number): object => ({
    name: `files/asset-${index}.bin`,
    data: randomBytes(RANDOM_BYTES / FILES).toString('base64'),
  });
  const chart = {
    metadata: { name, version: '1.0.0', apiVersion: 'v2', type: 'application', appVersion: '1.0' },
    lock: null,
    templates: [{ name: 'templates/all.yaml', data: Buffer.from('{{ .Values }}').toString('base64') }],
    values: { replicas: 2, image: { repository: 'nginx', tag: '1.27' }, list: [1, 2, 3] },
    schema: null,
    files: Array.from({ length: FILES }, (_, index) => file(index)),
  };
  const manifest = manifestOf(namespace, 100);
  const startedAt = '2026-01-01T00:00:00.000000000Z';
  const payloadAt = (run: number): Buffer =>
    gzipSync(
      JSON.stringify({
        name,
        info: {
          first_deployed: startedAt,
          last_deployed: startedAt,
          deleted: '',
          description: 'Initial install underway',
          status,
        },
        chart,
        config: { replicas: 3 },
        manifest,
        hooks: [
          {
            name: 'big-hook',
            kind: 'Job',
            path: 'big/templates/hook.yaml',
            manifest: 'apiVersion: batch/v1\nkind: Job\n',
            events: ['pre-install'],
            last_run: { started_at: startedAt, completed_at: startedAt, phase: `Running ${run}` },
          },
        ],
        version: revision,
        namespace,
      }),
      { level: 1 }, // As large as with Helm's level 9 here, and ten times as fast to make.
    );
  return {
    path: `/api/v1/namespaces/${namespace}/secrets/sh.helm.release.v1.${name}.v${revision}`,
    at: (run) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'helm.sh/release.v1',
      metadata: {
        name: `sh.helm.release.v1.${name}.v${revision}`,
        namespace,
        labels: {
          owner: 'helm',
          name,
          status,
          version: String(revision),
          modifiedAt: String(1_767_225_600 + run),
        },
      },
      data: { release: Buffer.from(payloadAt(run).toString('base64')).toString('base64') },
    }),
  };
};
