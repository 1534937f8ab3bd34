import { gzipSync } from 'node:zlib';
import { type ApiClient, createApiClient } from '../cluster/harness/api-client.ts';
import { createBigRecord } from './big-record.ts';

/** What a tenant sends who may do nothing but write Secrets and ConfigMaps in a namespace of its own. */
export interface Flood {
  readonly what: string;
  readonly connections: number;
  /** What has to be stored before. */
  prepare(tenant: ApiClient): Promise<void>;
  /** One request; rejects when it is refused, which is as good as any answer. */
  send(tenant: ApiClient, connection: number): Promise<unknown>;
}

export const TENANT = 'bench-tenant';

const secrets = `/api/v1/namespaces/${TENANT}/secrets`;
const configMaps = `/api/v1/namespaces/${TENANT}/configmaps`;

const recordOf = (name: string, status: string, json: string): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'helm.sh/release.v1',
  metadata: { name: `sh.helm.release.v1.${name}.v1`, labels: { owner: 'helm', name, version: '1', status } },
  data: { release: Buffer.from(gzipSync(json).toString('base64')).toString('base64') },
});

const payloadOf = (name: string, status: string, manifest: string, config: string): string =>
  `{"name":"${name}","namespace":"${TENANT}","version":1,"info":{"status":"${status}"},` +
  `"chart":{"metadata":{"name":"web","version":"1.0.0"}},"manifest":${JSON.stringify(manifest)},"config":${config}}`;

/** 30 MB of JSON with 3.7 million small objects, in a record of 77 KB. */
const costlyRecord = (): Buffer =>
  Buffer.from(
    JSON.stringify(
      recordOf(
        'costly',
        'pending-install',
        payloadOf('costly', 'pending-install', '', `{"a":[${'{"a":1},'.repeat(3_700_000)}1]}`),
      ),
    ),
  );

const MANIFEST_BYTES = 27 * 1024 * 1024;
const SLOW_UNIT = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b, c: [1,2,3,{x: y}]}\n---\n';
const SLOW_RELEASES = 10;

export const createFloods = (): readonly Flood[] => {
  const costly = costlyRecord();
  const big = Array.from({ length: 16 }, (_, index) => {
    const record = createBigRecord(TENANT, { name: `big-${index}`, revision: 1, status: 'pending-install' });
    return { path: record.path, bodies: [0, 1].map((run) => Buffer.from(JSON.stringify(record.at(run)))) };
  });
  let run = 0;
  return [
    {
      what: 'records of 77 KB that are 30 MB of JSON, by dry run',
      connections: 40,
      prepare: async () => {},
      send: (tenant) => tenant.send('POST', `${secrets}?dryRun=All`, costly),
    },
    {
      what: `writes of objects of ${SLOW_RELEASES} releases with manifests of 27 MB`,
      connections: SLOW_RELEASES,
      prepare: async (tenant) => {
        const manifest = SLOW_UNIT.repeat(Math.floor(MANIFEST_BYTES / SLOW_UNIT.length));
        for (let index = 0; index < SLOW_RELEASES; index += 1) {
          const name = `slow-${index}`;
          const annotations = { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': TENANT };
          await tenant.send('POST', configMaps, {
            metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations },
          });
          await tenant.send('POST', secrets, recordOf(name, 'deployed', payloadOf(name, 'deployed', manifest, '{}')));
        }
      },
      send: (tenant, connection) => {
        run += 1;
        const body = { data: { a: `b${run}` } };
        return tenant.send('PATCH', `${configMaps}/slow-${connection}`, body, 'application/merge-patch+json');
      },
    },
    {
      what: 'updates of records of 1 MB, by dry run',
      connections: big.length,
      prepare: async (tenant) => {
        for (const { bodies } of big) await tenant.send('POST', secrets, bodies[0]);
      },
      send: (tenant, connection) => {
        run += 1;
        const { path, bodies } = big[connection % big.length] ?? { path: '', bodies: [] };
        return tenant.send('PUT', `${path}?dryRun=All`, bodies[run % bodies.length]);
      },
    },
  ];
};

export interface RunningFlood {
  /** Requests that were answered until now. */
  answered(): number;
  stop(): Promise<void>;
}

/** Sends over each connection as fast as the answers come. */
export const startFlood = (flood: Flood, kubeconfig: string): RunningFlood => {
  let isOver = false;
  let answered = 0;
  const keepSending = async (connection: number): Promise<void> => {
    const client = createApiClient(kubeconfig);
    while (!isOver) {
      await flood.send(client, connection).catch(() => undefined);
      answered += 1;
    }
    client.close();
  };
  const all = Array.from({ length: flood.connections }, (_, connection) => keepSending(connection));
  return {
    answered: () => answered,
    stop: async () => {
      isOver = true;
      await Promise.all(all);
    },
  };
};
