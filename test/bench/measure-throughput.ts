import { recordName } from '../../src/helm/record.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { editPayload, type StoredRecord } from '../cluster/support/asking.ts';
import { type BenchPlane, deploymentPath, MERGE, namespaceOf, RELEASE, type Server } from './bench-plane.ts';
import { compared, type Line, percent, seconds } from './report.ts';
import { askAll, openConnection, prepareRequest, type ReviewConnection } from './review-client.ts';
import { interleave, median } from './segments.ts';

const CONNECTIONS = 16;
const REVIEWS_A_SEGMENT = 600;
const SERVERS = ['bare', 'belay'] as const satisfies readonly Server[];

/** A second release whose upgrade is in flight: what its holder writes is let through on the index alone. */
export const BUSY = 'busy';

/** Real reviews of UPDATEs of a Deployment, recorded as the API server sent them. */
export const recordKinds = async (plane: BenchPlane): Promise<readonly { name: string; body: Buffer }[]> => {
  const { holder, serviceAccount } = plane;
  const records = `/api/v1/namespaces/${namespaceOf('belay')}/secrets`;
  const stored = (await holder.send('GET', `${records}/${recordName(RELEASE, 1)}`)).body as StoredRecord;
  const started = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: recordName(BUSY, 1),
      labels: { ...stored.metadata?.labels, name: BUSY, status: 'pending-install' },
    },
    data: {
      release: editPayload(stored.data.release, (payload) => {
        payload.name = BUSY;
        payload.info.status = 'pending-install';
        payload.manifest = payload.manifest.replaceAll(`name: ${RELEASE}`, `name: ${BUSY}`);
      }),
    },
  };
  await holder.send('POST', records, started);
  const deployment = (await holder.send('GET', deploymentPath('belay'))).body as KubernetesObject;
  const { annotations, labels } = deployment.metadata ?? {};
  await holder.send('POST', deploymentPath('belay').replace(/\/[^/]+$/, ''), {
    ...deployment,
    metadata: { name: BUSY, labels, annotations: { ...annotations, 'meta.helm.sh/release-name': BUSY } },
    status: undefined,
  });

  const image = (name: string, tag: string): object => ({
    spec: { template: { spec: { containers: [{ name, image: `nginx:${tag}` }] } } },
  });
  const annotate = { metadata: { annotations: { 'example.com/checked-at': 'now' } } };
  const STRATEGIC = 'application/strategic-merge-patch+json';
  const bodies = await plane.record('/validate', async () => {
    await serviceAccount.send('PATCH', deploymentPath('belay'), {}, MERGE);
    await holder.send('PATCH', deploymentPath('belay', BUSY), image('web', '1.28'), STRATEGIC);
    await serviceAccount.send('PATCH', deploymentPath('belay'), annotate, MERGE);
  });
  return ['nothing changed', "the holder's upgrade", "a controller's annotation"].map((name, index) => {
    const body = bodies[index];
    if (body === undefined || bodies.length !== 3) throw new Error(`${bodies.length} reviews were recorded, not 3`);
    return { name, body };
  });
};

/** A server has answered for days, not seconds: this much of the time goes by before anything counts, until the compiler has settled. */
const WARM_UP_SHARE = 0.3;

/** Handler throughput and processor time: one process each, the same connections, the same recorded reviews, in turns. */
export const measureThroughput = async (plane: BenchPlane, forMs: number): Promise<readonly Line[]> => {
  const kinds = await recordKinds(plane);
  const connections: Record<Server, readonly ReviewConnection[]> = { bare: [], belay: [] };
  try {
    for (const server of SERVERS) {
      const opening = Array.from({ length: CONNECTIONS }, () => openConnection(plane.servers[server]));
      connections[server] = await Promise.all(opening);
    }
    const sides = kinds.flatMap(({ name, body }) =>
      SERVERS.map((server) => ({ id: idOf(server, name), server, requests: [prepareRequest('/validate', body)] })),
    );
    const run = async (id: string): Promise<number> => {
      const side = sides.find((candidate) => candidate.id === id);
      if (side === undefined) throw new TypeError(`there is no ${id}`);
      const startMs = performance.now();
      await askAll(connections[side.server], side.requests, REVIEWS_A_SEGMENT);
      return REVIEWS_A_SEGMENT / ((performance.now() - startMs) / 1000);
    };
    const ids = sides.map(({ id }) => id);
    await interleave(ids, { forMs: forMs * WARM_UP_SHARE, minCycles: 6, maxCycles: 200 }, run);
    const before = await readAll(plane);
    const cycles = await interleave(ids, { forMs: forMs * (1 - WARM_UP_SHARE), minCycles: 3, maxCycles: 500 }, run);
    const after = await readAll(plane);

    const perSecond = (server: Server, name: string): readonly number[] =>
      cycles.map((cycle) => cycle[idOf(server, name)] ?? Number.NaN);
    const ratios = (name: string): readonly number[] => {
      const bare = perSecond('bare', name);
      return perSecond('belay', name).map((rate, index) => rate / (bare[index] ?? Number.NaN));
    };
    const perThousand = (server: Server): number =>
      (after[server] - before[server]) / ((cycles.length * kinds.length * REVIEWS_A_SEGMENT) / 1000);
    return [
      compared(
        'handler throughput, of the bare server',
        median(kinds.flatMap(({ name }) => ratios(name))),
        ['>=', 0.7],
        percent,
        `equal parts of what follows; ${cycles.length} cycles of ${REVIEWS_A_SEGMENT} reviews each way`,
      ),
      ...kinds.map(({ name, body }) => ({
        what: `  ${name}, ${(body.length / 1024).toFixed(1)} KiB`,
        measured: `${percent(median(ratios(name)))} (${Math.round(median(perSecond('belay', name)))}/s to ${Math.round(median(perSecond('bare', name)))}/s)`,
      })),
      compared(
        'processor time for 1,000 object reviews',
        perThousand('belay'),
        ['<=', 0.3],
        seconds,
        `bare server ${seconds(perThousand('bare'))}`,
      ),
    ];
  } finally {
    for (const server of SERVERS) for (const connection of connections[server]) connection.close();
  }
};

const idOf = (server: Server, kind: string): string => `${server}: ${kind}`;

const readAll = async ({ servers }: BenchPlane): Promise<Record<Server, number>> => ({
  bare: await servers.bare.processorSeconds(),
  belay: await servers.belay.processorSeconds(),
});
