import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type ApiClient, createApiClient } from '../cluster/harness/api-client.ts';
import { type ControlPlane, startControlPlane } from '../cluster/harness/control-plane.ts';
import type { Progress } from '../cluster/harness/progress.ts';
import { SHOP, succeeds } from '../cluster/support/asking.ts';
import { createFloods, type Flood, startFlood, TENANT } from './floods.ts';
import { measureLitter } from './measure-litter.ts';
import { compared, type Line, mebibytes, milliseconds, seconds, times } from './report.ts';
import { residentMemoryOf } from './resident-memory.ts';
import { quantile } from './segments.ts';

/** manifests/base allows 512 MiB. */
const MAX_RESIDENT_MIB = 400;
const MAX_WRITE_RATIO = 3;
const MAX_INSTALL_RATIO = 2;

const HONEST = 'bench-honest';
const INSTALLS = 3;
/** Tries of a frozen release's objects: each of another release, so that no manifest is in a cache. */
const FROZEN_RELEASES = 400;
const BETWEEN_WRITES_MS = 20;
const BETWEEN_FROZEN_MS = 100;
const MERGE = 'application/merge-patch+json';

/**
 * A tenant floods Belay, and another tenant works beside it: what that one's writes and installs take longer, whether a frozen release holds,
 * and what memory Belay needs. On a plane of its own. Belay is started anew before each flood, so that its peak of memory is that of the flood.
 */
export const measureFloods = async (
  frozenReleases: number,
  env: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<readonly Line[]> => {
  const plane = await startControlPlane({
    controllers: false,
    helm: ['helm4'],
    intervals: 'shipped',
    quiet: true,
    belay: { env },
  });
  try {
    return await measure(plane, frozenReleases, progress);
  } finally {
    await plane.stop();
  }
};

interface Tenants {
  readonly plane: ControlPlane;
  readonly honest: ApiClient;
  readonly honestKubeconfig: string;
  readonly tenantKubeconfig: string;
  /** Frozen releases whose objects nobody has tried to change yet. */
  readonly untried: string[];
}

const measure = async (plane: ControlPlane, frozenReleases: number, progress: Progress): Promise<readonly Line[]> => {
  progress.say(`making ${frozenReleases} frozen releases`);
  const tenants = await prepare(plane, frozenReleases);
  const tenant = createApiClient(tenants.tenantKubeconfig);
  const forMs = 20_000;
  try {
    progress.say('measuring at rest');
    const rest = await measureHonest(tenants, forMs);
    const lines: Line[] = [
      { what: 'at rest: write of a governed object', measured: showTimes(rest.writesMs) },
      { what: '- helm install, median', measured: seconds(quantile(rest.installsMs, 0.5) / 1000) },
      { what: '- resident memory, at most', measured: mebibytes(rest.peakMib) },
    ];
    const only = process.env.BENCH_FLOOD ?? '';
    if (only === '' || only === 'start') {
      progress.say('measuring starts beside what a tenant has stored');
      const [replica] = plane.belay.replicas;
      if (replica === undefined) throw new Error('Belay has no replica');
      lines.push(...(await measureLitter(tenant, replica)));
    }
    for (const flood of createFloods().filter(({ what }) => what.includes(only))) {
      progress.say(`measuring ${flood.what}`);
      await flood.prepare(tenant);
      await plane.belay.replicas[0]?.restart();
      lines.push(...(await measureFlood(tenants, flood, rest, forMs)));
    }
    return lines;
  } finally {
    tenant.close();
    tenants.honest.close();
  }
};

const measureFlood = async (
  tenants: Tenants,
  flood: Flood,
  rest: HonestWork,
  forMs: number,
): Promise<readonly Line[]> => {
  const running = startFlood(flood, tenants.tenantKubeconfig);
  const work = await measureHonest(tenants, forMs);
  await running.stop();
  const writes = quantile(work.writesMs, 0.99) / quantile(rest.writesMs, 0.99);
  const installs = quantile(work.installsMs, 0.5) / quantile(rest.installsMs, 0.5);
  return [
    { what: `flood: ${flood.what}, ${flood.connections} at once`, measured: `${running.answered()} answered` },
    compared(
      "- another tenant's write of a governed object, p99",
      writes,
      ['<=', MAX_WRITE_RATIO],
      times,
      showTimes(work.writesMs),
    ),
    compared(
      '- its helm install, median',
      installs,
      ['<=', MAX_INSTALL_RATIO],
      times,
      seconds(quantile(work.installsMs, 0.5) / 1000),
    ),
    compared(
      '- changes of a frozen release that passed',
      work.frozenPassed,
      ['<=', 0],
      String,
      `of ${work.frozenTried}`,
    ),
    compared('- resident memory, at most', work.peakMib, ['<=', MAX_RESIDENT_MIB], mebibytes),
  ];
};

interface HonestWork {
  readonly writesMs: readonly number[];
  readonly installsMs: readonly number[];
  readonly frozenTried: number;
  readonly frozenPassed: number;
  readonly peakMib: number;
}

let installed = 0;

const measureHonest = async (
  { plane, honest, honestKubeconfig, untried }: Tenants,
  forMs: number,
): Promise<HonestWork> => {
  const until = performance.now() + forMs;
  const isOver = (): boolean => performance.now() > until;
  const writesMs: number[] = [];
  const write = async (): Promise<void> => {
    while (!isOver()) {
      const annotations = { 'example.com/checked-at': String(performance.now()) };
      const path = `/apis/apps/v1/namespaces/${HONEST}/deployments/web`;
      const { ms } = await honest.send('PATCH', path, { metadata: { annotations } }, MERGE);
      writesMs.push(ms);
      await sleep(BETWEEN_WRITES_MS);
    }
  };
  let frozenTried = 0;
  let frozenPassed = 0;
  const thaw = async (): Promise<void> => {
    const person = createApiClient(honestKubeconfig);
    for (let name = untried.pop(); name !== undefined && !isOver(); name = untried.pop()) {
      const path = `/api/v1/namespaces/${HONEST}/configmaps/${name}`;
      frozenTried += 1;
      await person.send('PATCH', path, { data: { a: 'changed' } }, MERGE).then(
        () => {
          frozenPassed += 1;
        },
        () => undefined,
      );
      await sleep(BETWEEN_FROZEN_MS);
    }
    person.close();
  };
  const installsMs: number[] = [];
  const install = async (): Promise<void> => {
    for (let index = 0; index < INSTALLS; index += 1) {
      installed += 1;
      const startMs = performance.now();
      const namespace = `bench-install-${installed}`;
      succeeds(await plane.kubectl(['create', 'namespace', namespace]));
      const begunMs = performance.now();
      const result = await plane.helm4(['install', 'web', SHOP, '-n', namespace], { as: honestKubeconfig });
      installsMs.push(result.code === 0 ? performance.now() - begunMs : Number.POSITIVE_INFINITY);
      await sleep(Math.max(0, forMs / INSTALLS - (performance.now() - startMs)));
    }
  };
  await Promise.all([write(), thaw(), install()]);
  return {
    writesMs,
    installsMs,
    frozenTried,
    frozenPassed,
    peakMib: residentMemoryOf(plane.belay.replicas[0]?.pid ?? 0).peakMib,
  };
};

const prepare = async (plane: ControlPlane, frozenReleases: number): Promise<Tenants> => {
  const admin = createApiClient(plane.adminKubeconfig);
  for (const name of [HONEST, TENANT]) await admin.send('POST', '/api/v1/namespaces', { metadata: { name } });
  for (const name of ['honest', 'tenant'])
    await admin.send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: `bench-${name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    });
  await admin.send('POST', `/api/v1/namespaces/${HONEST}/serviceaccounts`, { metadata: { name: 'controller' } });
  await admin.send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'bench-controller' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace: HONEST, name: 'controller' }],
  });
  const [honestKubeconfig, tenantKubeconfig] = await Promise.all([plane.user('honest'), plane.user('tenant')]);
  succeeds(await plane.helm4(['install', 'web', SHOP, '-n', HONEST], { as: honestKubeconfig }));
  const person = createApiClient(honestKubeconfig);
  const untried = Array.from({ length: frozenReleases || FROZEN_RELEASES }, (_, index) => `frozen-${index}`);
  for (const name of untried) await forgeFrozen(person, name);
  person.close();
  admin.close();
  const honest = createApiClient(await plane.serviceAccountKubeconfig(HONEST, 'controller'));
  return { plane, honest, honestKubeconfig, tenantKubeconfig, untried };
};

/** A release of one ConfigMap, as Helm would have stored it. */
const forgeFrozen = async (client: ApiClient, name: string): Promise<void> => {
  await client.send('POST', `/api/v1/namespaces/${HONEST}/configmaps`, {
    metadata: {
      name,
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': HONEST },
    },
    data: { a: 'b' },
  });
  const payload = {
    name,
    info: { status: 'deployed' },
    chart: { metadata: { name: 'one', version: '1.0.0' } },
    manifest: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: b\n`,
    version: 1,
    namespace: HONEST,
  };
  await client.send('POST', `/api/v1/namespaces/${HONEST}/secrets`, {
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v1`,
      labels: { owner: 'helm', name, status: 'deployed', version: '1' },
      annotations: { 'belay.dev/freeze': 'flood' },
    },
    stringData: { release: gzipSync(JSON.stringify(payload)).toString('base64') },
  });
};

const showTimes = (tookMs: readonly number[]): string =>
  `p50 ${milliseconds(quantile(tookMs, 0.5))}, p99 ${milliseconds(quantile(tookMs, 0.99))}`;
