import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { issueCertificates, serviceDnsNames } from '../../src/certificates/issue.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { freePorts } from '../cluster/harness/addresses.ts';
import { type ApiClient, createApiClient } from '../cluster/harness/api-client.ts';
import { type BelayReplica, type ControlPlane, startControlPlane } from '../cluster/harness/control-plane.ts';
import { belayNamespace } from '../cluster/harness/install-belay.ts';
import { probe } from '../cluster/harness/probe.ts';
import { createProcesses } from '../cluster/harness/processes.ts';
import { waitUntil } from '../cluster/harness/wait-until.ts';
import { SHOP, succeeds } from '../cluster/support/asking.ts';
import { createBareServer } from './bare-server.ts';
import { FORGED_LABEL } from './forged-history.ts';
import { ofBareServer, ofBelay, type ReadProcessorSeconds } from './processor-time.ts';

/** The three that are compared. Each has a namespace: who answers the reviews of its objects is the only difference between them. */
export const SIDES = ['none', 'bare', 'belay'] as const;
export type Side = (typeof SIDES)[number];
export type Server = Exclude<Side, 'none'>;

export const namespaceOf = (side: Side): string => `bench-${side}`;
export const RELEASE = 'web';
export const deploymentPath = (side: Side, release = RELEASE): string =>
  `/apis/apps/v1/namespaces/${namespaceOf(side)}/deployments/${release}`;

export interface ReviewServer {
  readonly host: string;
  readonly port: number;
  readonly processorSeconds: ReadProcessorSeconds;
}

export interface BenchPlane {
  readonly servers: Readonly<Record<Server, ReviewServer>>;
  readonly belayMetricsUrl: string;
  readonly belay: BelayReplica;
  readonly adminKubeconfig: string;
  /** Of whoever runs Helm, for programs of their own. */
  readonly kubeconfig: string;
  /** A controller of the benchmark's own. */
  readonly serviceAccount: ApiClient;
  /** Whoever runs Helm. */
  readonly holder: ApiClient;
  /** Runs some writes in Belay's namespace, and resolves with the bodies of the reviews that the API server sent for them. */
  record(path: '/validate' | '/mutate', writes: () => Promise<void>): Promise<readonly Buffer[]>;
  stop(): Promise<void>;
}

const CONFIGURATIONS = [
  'apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  'apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
] as const;

interface Configuration extends KubernetesObject {
  readonly webhooks: readonly { readonly clientConfig: { readonly service: object } }[];
}

const BY_NAME = 'kubernetes.io/metadata.name';
/** What is stored by the ten thousand is not to be judged meanwhile. */
const NOT_FORGED = { key: FORGED_LABEL, operator: 'DoesNotExist' };
const selectNamespaces = (operator: 'In' | 'NotIn', values: readonly string[]) => ({
  matchExpressions: [{ key: BY_NAME, operator, values }],
});

/** A real control plane with Belay, the bare server under a copy of Belay's webhook configurations, and the shop chart installed thrice. */
export const startBenchPlane = async (env: Readonly<Record<string, string>>): Promise<BenchPlane> => {
  const plane = await startControlPlane({ controllers: false, helm: ['helm4'], intervals: 'shipped', belay: { env } });
  try {
    return await prepare(plane);
  } catch (error) {
    await plane.stop();
    throw error;
  }
};

const prepare = async (plane: ControlPlane): Promise<BenchPlane> => {
  const admin = createApiClient(plane.adminKubeconfig);
  const { address } = plane;
  const certificates = await issueCertificates({
    now: Date.now(),
    dnsNames: [...serviceDnsNames('bare', belayNamespace), ...serviceDnsNames('recorder', belayNamespace)],
  });
  const [barePort = 0, recorderPort = 0] = await freePorts(address, 2);

  const recorded: Buffer[] = [];
  const recorder = createBareServer(certificates, (body) => recorded.push(body));
  recorder.listen(recorderPort, address);
  await once(recorder, 'listening');

  const processes = createProcesses({ logDir: join(plane.dir, 'logs') });
  const stop = async (): Promise<void> => {
    recorder.close();
    recorder.closeAllConnections();
    for (const client of [admin, serviceAccount, holder]) client?.close();
    await plane.belay.stop();
    await processes.stopAll();
    await plane.stop();
  };
  let [serviceAccount, holder]: (ApiClient | undefined)[] = [];
  try {
    const files = { key: join(plane.dir, 'bare.key'), cert: join(plane.dir, 'bare.crt') };
    await writeFile(files.key, certificates.key, { mode: 0o600 });
    await writeFile(files.cert, certificates.cert);
    const bare = processes.start({
      name: 'bare-server',
      command: process.execPath,
      args: [join(import.meta.dirname, 'bare-server.ts'), address, String(barePort), files.key, files.cert],
    });
    const bareUrl = `https://${address}:${barePort}`;
    await waitUntil('the bare server answers', () => probe(bareUrl), { dependsOn: [bare] });

    const copyOf = async (kind: string, name: string, port: number, namespace: string): Promise<void> => {
      const { body } = await admin.send('GET', `/${kind}/belay`);
      const { apiVersion, kind: objectKind, webhooks } = body as Configuration;
      await admin.send('POST', `/${kind}`, {
        apiVersion,
        kind: objectKind,
        metadata: { name },
        webhooks: webhooks.map((webhook) => ({
          ...webhook,
          clientConfig: {
            service: { ...webhook.clientConfig.service, name, port },
            caBundle: Buffer.from(certificates.ca).toString('base64'),
          },
          namespaceSelector: selectNamespaces('In', [namespace]),
        })),
      });
    };
    for (const name of ['bare', 'recorder']) {
      await admin.send('POST', `/api/v1/namespaces/${belayNamespace}/services`, {
        metadata: { name },
        spec: { type: 'ExternalName', externalName: process.platform === 'linux' ? address : 'localhost' },
      });
    }

    for (const side of SIDES) await admin.send('POST', '/api/v1/namespaces', { metadata: { name: namespaceOf(side) } });
    for (const kind of CONFIGURATIONS) {
      const { body } = await admin.send('GET', `/${kind}/belay`);
      const others = [belayNamespace, namespaceOf('none'), namespaceOf('bare')];
      const patch = (body as Configuration).webhooks.map((_, index) => ({
        op: 'replace',
        path: `/webhooks/${index}/namespaceSelector`,
        value: { matchExpressions: [...selectNamespaces('NotIn', others).matchExpressions, NOT_FORGED] },
      }));
      await admin.send('PATCH', `/${kind}/belay`, patch, 'application/json-patch+json');
      await copyOf(kind, 'bare', barePort, namespaceOf('bare'));
    }

    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await admin.send('POST', accounts, { metadata: { name: 'controller' } });
    await admin.send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'bench' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [
        { kind: 'ServiceAccount', namespace: 'default', name: 'controller' },
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'deployer' },
      ],
    });
    const deployer = await plane.user('deployer');
    serviceAccount = createApiClient(await plane.serviceAccountKubeconfig('default', 'controller'));
    holder = createApiClient(deployer);
    for (const side of SIDES)
      succeeds(await plane.helm4(['install', RELEASE, SHOP, '-n', namespaceOf(side)], { as: deployer }));
    for (const side of SIDES)
      await admin.send('PATCH', `${deploymentPath(side)}/status`, { status: ROLLED_OUT }, MERGE);

    const [replica] = plane.belay.replicas;
    if (replica === undefined) throw new Error('no Belay runs');
    const belayUrl = new URL(replica.url);
    return {
      servers: {
        bare: { host: address, port: barePort, processorSeconds: ofBareServer(bareUrl) },
        belay: { host: address, port: Number(belayUrl.port), processorSeconds: ofBelay(replica.metricsUrl) },
      },
      belayMetricsUrl: replica.metricsUrl,
      belay: replica,
      adminKubeconfig: plane.adminKubeconfig,
      kubeconfig: deployer,
      serviceAccount,
      holder,
      record: async (path, writes) => {
        const kind = path === '/validate' ? CONFIGURATIONS[0] : CONFIGURATIONS[1];
        const settled = async (isOn: boolean): Promise<void> => {
          await waitUntil(`the recorder is ${isOn ? 'asked' : 'left alone'}`, async () => {
            recorded.length = 0;
            await admin.send('PATCH', `/api/v1/namespaces/${namespaceOf('belay')}/secrets/${FIRST_RECORD}`, {}, MERGE);
            return recorded.length > 0 === isOn || undefined;
          });
        };
        await copyOf(kind, 'recorder', recorderPort, namespaceOf('belay'));
        await settled(true);
        recorded.length = 0;
        await writes();
        const bodies = [...recorded];
        await admin.send('DELETE', `/${kind}/recorder`);
        await settled(false);
        // The last one may have come from a cache that was about to go.
        await sleep(200);
        await settled(false);
        return bodies;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** What the Deployment controller would have written: there is none here, whose writes would be in the way. */
const ROLLED_OUT = {
  observedGeneration: 1,
  replicas: 2,
  updatedReplicas: 2,
  readyReplicas: 2,
  availableReplicas: 2,
  conditions: [
    {
      type: 'Available',
      status: 'True',
      lastUpdateTime: '2026-01-01T00:00:05Z',
      lastTransitionTime: '2026-01-01T00:00:05Z',
      reason: 'MinimumReplicasAvailable',
      message: 'Deployment has minimum availability.',
    },
    {
      type: 'Progressing',
      status: 'True',
      lastUpdateTime: '2026-01-01T00:00:05Z',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'NewReplicaSetAvailable',
      message: 'ReplicaSet "web-5d6c8b7f9c" has successfully progressed.',
    },
  ],
};

const FIRST_RECORD = `sh.helm.release.v1.${RELEASE}.v1`;
export const MERGE = 'application/merge-patch+json';
