import { gzipSync } from 'node:zlib';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';

/** Releases in every state that a rule knows, and every write that somebody might make of them. */

export const NAMESPACE = 'upgrade';

interface Payload {
  readonly version?: string;
  readonly greeting?: string;
  readonly deleted?: boolean;
}

const manifestOf = (release: string, greeting: string): string =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${release}\ndata:\n  GREETING: ${greeting}\n`;

const recordOf = (
  release: string,
  revision: number,
  status: string,
  annotations: Readonly<Record<string, string>> = {},
  { version = '1.4.0', greeting = 'hello', deleted = false }: Payload = {},
): KubernetesObject => {
  const payload = {
    name: release,
    namespace: NAMESPACE,
    version: revision,
    info: { status, deleted: deleted ? '2026-11-21T12:00:00Z' : '' },
    chart: { metadata: { name: 'shop', version } },
    config: {},
    manifest: manifestOf(release, greeting),
  };
  const once = gzipSync(JSON.stringify(payload)).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${release}.v${revision}`,
      namespace: NAMESPACE,
      labels: { owner: 'helm', name: release, version: String(revision), status },
      annotations,
    },
    data: { release: Buffer.from(once).toString('base64') },
  };
};

export const configMapOf = (release: string, data: Readonly<Record<string, string>> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: release,
    namespace: NAMESPACE,
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': NAMESPACE },
  },
  data: { GREETING: 'hello', ...data },
});

const annotated = (release: string, annotations: Readonly<Record<string, string>>): readonly KubernetesObject[] => [
  recordOf(release, 1, 'superseded', {}, { version: '1.3.0' }),
  recordOf(release, 2, 'deployed', annotations),
];
const pending = (release: string, annotations = {}): readonly KubernetesObject[] => [
  recordOf(release, 1, 'deployed'),
  recordOf(release, 2, 'pending-upgrade', annotations),
];

/** By the release's name; the claims and policies of test/upgrade/0.1.0/stored.yaml go with it. The keys are what 0.1.0 knows. */
export const releasesAt = (nowMs: number): Readonly<Record<string, readonly KubernetesObject[]>> => {
  const soon = `${new Date(nowMs + 12 * 3_600_000).toISOString().slice(0, -5)}Z`;
  return {
    idle: annotated('idle', {}),
    failed: [recordOf('failed', 1, 'deployed'), recordOf('failed', 2, 'failed')],
    busy: pending('busy'),
    unclaimed: pending('unclaimed'),
    broken: pending('broken', { 'belay.dev/break': 'the runner is gone' }),
    leaving: [recordOf('leaving', 1, 'uninstalling', {}, { deleted: true })],
    frozen: annotated('frozen', { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-by': 'dev' }),
    thawed: annotated('thawed', { 'belay.dev/freeze': 'over', 'belay.dev/freeze-until': '2001-01-01T00:00:00Z' }),
    dated: annotated('dated', { 'belay.dev/freeze': 'long', 'belay.dev/freeze-until': '2099-01-01T00:00:00Z' }),
    pinned: annotated('pinned', { 'belay.dev/pin': '1.4.x' }),
    upwards: annotated('upwards', { 'belay.dev/no-downgrade': 'true' }),
    open: annotated('open', { 'belay.dev/open': 'migration', 'belay.dev/open-until': soon }),
    unreadable: annotated('unreadable', { 'belay.dev/pin': 'not a range' }),
    accepted: annotated('accepted', {}),
    warned: annotated('warned', {}),
  };
};

export const USERS: Readonly<Record<string, object>> = {
  ci: { username: 'ci', groups: ['system:authenticated'] },
  dev: { username: 'dev', groups: ['system:authenticated'] },
  robot: {
    username: `system:serviceaccount:${NAMESPACE}:robot`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`, 'system:authenticated'],
  },
};

export interface ReviewCase {
  readonly what: string;
  readonly path: '/validate' | '/mutate';
  readonly request: Readonly<Record<string, unknown>>;
}

const RESOURCES: Readonly<Record<string, readonly [group: string, version: string, resource: string]>> = {
  Secret: ['', 'v1', 'secrets'],
  ConfigMap: ['', 'v1', 'configmaps'],
  Lease: ['coordination.k8s.io', 'v1', 'leases'],
};

const requestOf = (
  operation: 'CREATE' | 'UPDATE' | 'DELETE',
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): Readonly<Record<string, unknown>> => {
  const { kind = '', metadata } = (after ?? before) as KubernetesObject;
  const [group, version, resource] = RESOURCES[kind] ?? ['', '', ''];
  return {
    uid: 'uid',
    kind: { group, version, kind },
    resource: { group, version, resource },
    name: metadata?.name,
    namespace: NAMESPACE,
    operation,
    object: after ?? null,
    oldObject: before ?? null,
  };
};

const withMetadata = (object: KubernetesObject, change: Readonly<Record<string, unknown>>): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, ...change },
});

/** Every write of one release as it is stored. */
export const casesOf = (
  release: string,
  records: readonly KubernetesObject[],
  configMap: KubernetesObject,
  lease: KubernetesObject | undefined,
): readonly ReviewCase[] => {
  const newest = records.at(-1) as KubernetesObject;
  const oldest = records[0] as KubernetesObject;
  const next = records.length + 1;
  const annotations = newest.metadata?.annotations ?? {};
  const status = newest.metadata?.labels?.status ?? '';
  const kept = (state: string, payload: Payload = {}): KubernetesObject => ({
    ...withMetadata(newest, { labels: { ...newest.metadata?.labels, status: state }, annotations: {} }),
    data: recordOf(release, records.length, state, {}, payload).data as never,
  });
  const labelled = (key: string, value: string | undefined): KubernetesObject => {
    const { [key]: _gone, ...others } = annotations;
    return withMetadata(newest, { annotations: value === undefined ? others : { ...others, [key]: value } });
  };
  const create = (object: KubernetesObject) => requestOf('CREATE', undefined, object);
  const update = (before: KubernetesObject, after: KubernetesObject) => requestOf('UPDATE', before, after);
  const remove = (object: KubernetesObject) => requestOf('DELETE', object, undefined);
  const upgrade = (payload?: Payload) => create(recordOf(release, next, 'pending-upgrade', {}, payload));
  const writes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'upgrade within 1.4': upgrade({ version: '1.4.1' }),
    'upgrade to 1.5': upgrade({ version: '1.5.0' }),
    'downgrade to 1.3': upgrade({ version: '1.3.0' }),
    rollback: create(recordOf(release, next, 'pending-rollback')),
    uninstall: update(newest, kept('uninstalling', { deleted: true })),
    'completion of the newest revision': update(newest, kept('deployed')),
    'failure of the newest revision': update(newest, kept('failed')),
    'another manifest in a stored revision': update(newest, kept(status, { greeting: 'forged' })),
    'a status patched by hand': update(
      newest,
      withMetadata(newest, { labels: { ...newest.metadata?.labels, status: 'pending-upgrade' } }),
    ),
    'a note on the record': update(newest, labelled('note', 'x')),
    freeze: update(newest, labelled('belay.dev/freeze', 'why')),
    'end of a freeze': update(newest, labelled('belay.dev/freeze', undefined)),
    'a pin': update(newest, labelled('belay.dev/pin', '1.x')),
    'a lock that nobody knows': update(newest, labelled('belay.dev/freezed', 'x')),
    'a lock that cannot be read': update(newest, labelled('belay.dev/freeze-until', 'tomorrow')),
    'break of the operation': update(newest, labelled('belay.dev/break', 'why')),
    'deletion of the newest record': remove(newest),
    'deletion of the oldest record': remove(oldest),
    'a change of what the chart sets': update(configMap, { ...configMap, data: { GREETING: 'drift' } as never }),
    'an addition to what the chart sets': update(configMap, {
      ...configMap,
      data: { GREETING: 'hello', MORE: 'x' } as never,
    }),
    'a change that policies may ignore': update(configMap, {
      ...configMap,
      data: { GREETING: 'hello', IGNORED: 'x' } as never,
    }),
    'a note on an object': update(
      configMap,
      withMetadata(configMap, { annotations: { ...configMap.metadata?.annotations, note: 'x' } }),
    ),
    'deletion of an object': remove(configMap),
    ...(lease !== undefined && {
      'deletion of the claim': remove(lease),
      'another holder in the claim': update(lease, {
        ...lease,
        spec: { ...(lease.spec as object), holderIdentity: 'dev' },
      }),
    }),
  };
  return Object.entries(writes).flatMap(([what, request]) => {
    const isCarried = (request.kind as { kind: string }).kind === 'Secret' && request.operation !== 'DELETE';
    return [
      { what, path: '/validate' as const, request },
      ...(isCarried ? [{ what: `${what}, mutated`, path: '/mutate' as const, request }] : []),
    ];
  });
};
