import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { DenialCode } from '../../../src/rules/verdict.ts';
import type { CommandOptions, CommandResult, ControlPlane } from '../harness/control-plane.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** What the cluster tests ask of a plane, in the words of those who use it. */

export const HELMS = ['helm3', 'helm4'] as const;
export type Helm = (typeof HELMS)[number];

export const SHOP = join(import.meta.dirname, '..', '..', 'charts', 'shop');

const said = ({ stdout, stderr }: CommandResult): string => `${stdout}${stderr}`;

/** Asserts that a command succeeded; gives back its stdout. */
export const succeeds = (result: CommandResult): string => {
  assert.equal(result.code, 0, said(result));
  return result.stdout;
};

/** Asserts that Belay refused, with this code, and said all of these; gives back everything that was said. */
export const isDenied = (result: CommandResult, code: DenialCode, ...patterns: readonly RegExp[]): string => {
  const text = said(result);
  assert.notEqual(result.code, 0, `was not refused: ${text}`);
  assert.ok(text.includes(`[${code}]`), `expected [${code}] in: ${text}`);
  for (const pattern of patterns) assert.match(text, pattern);
  return text;
};

/** Asserts that a command failed and said this, whoever refused it. */
export const fails = (result: CommandResult, pattern: RegExp): string => {
  const text = said(result);
  assert.notEqual(result.code, 0, `did not fail: ${text}`);
  assert.match(text, pattern);
  return text;
};

export interface StoredRevision {
  readonly name: string;
  readonly revision: number;
  readonly status: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The records of a release, oldest first, as the API server has them. */
export const revisionsOf = async (
  plane: ControlPlane,
  namespace: string,
  release: string,
  kind: 'secret' | 'configmap' = 'secret',
): Promise<readonly StoredRevision[]> => {
  const records = await plane.api.list<{
    readonly metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
  }>(kind, { namespace, labels: `owner=helm,name=${release}` });
  return records
    .map(({ metadata: { name, labels, annotations = {} } }) => ({
      name,
      revision: Number(labels.version),
      status: labels.status ?? '',
      annotations,
    }))
    .sort((a, b) => a.revision - b.revision);
};

/** `v1 superseded, v2 deployed`: short enough to compare with. */
export const historyOf = async (plane: ControlPlane, namespace: string, release: string): Promise<string> =>
  (await revisionsOf(plane, namespace, release)).map(({ revision, status }) => `v${revision} ${status}`).join(', ');

/** Resolves when the newest revision of a release has this status. */
export const waitForStatus = async (
  plane: ControlPlane,
  namespace: string,
  release: string,
  status: string,
): Promise<void> => {
  await waitUntil(
    `${release} is ${status}`,
    async () => (await revisionsOf(plane, namespace, release)).at(-1)?.status === status || undefined,
  );
};

export const createNamespace = (plane: ControlPlane, name: string): Promise<void> =>
  plane.api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/** A namespace in which the users may do what the built-in role `edit` allows, and the admins what `admin` allows. */
export const makeNamespace = async (
  plane: ControlPlane,
  namespace: string,
  who: { readonly editors?: readonly string[]; readonly admins?: readonly string[] },
): Promise<void> => {
  await createNamespace(plane, namespace);
  const apiGroup = 'rbac.authorization.k8s.io';
  for (const [role, users] of [
    ['edit', who.editors ?? []],
    ['admin', who.admins ?? []],
  ] as const) {
    if (users.length === 0) continue;
    await plane.api.create({
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name: role, namespace },
      roleRef: { apiGroup, kind: 'ClusterRole', name: role },
      subjects: users.map((name) => ({ apiGroup, kind: 'User', name })),
    });
  }
};

/** A namespace as far as releases go: short enough to compare, complete enough that no change goes unseen. */
export const stateOf = async (plane: ControlPlane, namespace: string): Promise<readonly unknown[]> => {
  const kinds = 'deployment,service,configmap,secret,lease';
  const objects = await plane.api.list(kinds, { namespace });
  const releases = new Set(objects.filter(isRecord).map(({ metadata }) => metadata?.labels?.name));
  return objects
    .filter(({ metadata }) => metadata?.name !== 'kube-root-ca.crt')
    .filter(({ metadata }) => !isClaim(metadata) || releases.has(metadata?.name?.replace(/^belay\./, '')))
    .map(withoutNoise);
};

const isRecord = ({ metadata }: KubernetesObject): boolean =>
  metadata?.labels?.owner === 'helm' || metadata?.name?.startsWith('sh.helm.release.v1.') === true;

/** Belay takes away the claim of a release that is gone, at any time. */
const isClaim = (metadata: KubernetesObject['metadata']): boolean => metadata?.labels?.['belay.dev/claim'] === 'true';

/** What controllers (of a Deployment) and Belay (of a claim) write by themselves, at any time. */
const withoutNoise = (object: KubernetesObject): unknown => {
  const { status: _status, metadata = {}, data, spec, ...rest } = object;
  const { managedFields: _managedFields, resourceVersion, generation: _generation, ...kept } = metadata;
  const isOfHelm = isRecord(object);
  const {
    'deployment.kubernetes.io/revision': _revision,
    'belay.dev/uninstall-refused': _note,
    ...annotations
  } = kept.annotations ?? {};
  return {
    ...rest,
    spec: object.kind === 'Lease' ? { ...(spec as object), renewTime: undefined } : spec,
    data: isOfHelm ? createHash('sha256').update(JSON.stringify(data)).digest('hex') : data,
    // A record is nobody's but Helm's: not even a write that changes nothing may have come through.
    metadata: { ...kept, annotations, ...(isOfHelm && { resourceVersion }) },
  };
};

/** Runs something and asserts that it has left the namespace as it was. */
export const untouched = async <T>(
  plane: ControlPlane,
  namespace: string,
  attempt: () => Promise<T>,
): Promise<Awaited<T>> => {
  const before = await stateOf(plane, namespace);
  const result = await attempt();
  assert.deepEqual(await stateOf(plane, namespace), before);
  return result;
};

export interface Background {
  /** Resolves when it has ended by itself, or was killed. */
  readonly ended: Promise<CommandResult>;
  /** SIGKILL, as a cancelled pipeline job gets it; of no consequence if it has ended. */
  kill(): Promise<void>;
}

/** A helm that goes on while the test does something else. */
export const inBackground = (
  plane: ControlPlane,
  helm: Helm,
  args: readonly string[],
  options: CommandOptions = {},
): Background => {
  const child = plane.spawn(helm, args, options);
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: (code as number | null) ?? 137, stdout, stderr }));
  return {
    ended,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};

/** Lets a hook's Job complete, on a plane without nodes: its pod waits there until somebody says that it has succeeded. */
export const letHookPass = async (plane: ControlPlane, namespace: string, job: string): Promise<void> => {
  const labels = `batch.kubernetes.io/job-name=${job}`;
  const pod = await waitUntil(
    `the pod of job ${job}`,
    async () => (await plane.api.list('pod', { namespace, labels }))[0]?.metadata?.name,
  );
  await plane.api.patch(`pod/${pod}`, { status: { phase: 'Succeeded' } }, { namespace, subresource: 'status' });
};

/** Resolves when a hook's Job is there: Helm then waits for it, with its record pending. */
export const waitForHook = async (plane: ControlPlane, namespace: string, job: string): Promise<void> => {
  await waitUntil(`the job ${job}`, () => plane.api.find(`job/${job}`, { namespace }));
};

export interface StoredRecord extends KubernetesObject {
  readonly data: { readonly release: string };
}

/** A record as it is stored, whole. */
export const readRecord = (
  plane: ControlPlane,
  namespace: string,
  name: string,
  kind: 'secret' | 'configmap' = 'secret',
): Promise<StoredRecord> => plane.api.read<StoredRecord>(`${kind}/${name}`, { namespace });

/** What a record's payload says, as far as the tests change it. */
export interface Payload {
  name: string;
  version: number;
  manifest: string;
  info: Record<string, unknown>;
  [field: string]: unknown;
}

/** A Secret's `data.release` with its payload edited: Helm's base64 of gzip of JSON, in Kubernetes' own base64. */
export const editPayload = (release: string, edit: (payload: Payload) => void): string => {
  const stored = Buffer.from(Buffer.from(release, 'base64').toString(), 'base64');
  const payload = JSON.parse(gunzipSync(stored).toString()) as Payload;
  edit(payload);
  return Buffer.from(gzipSync(JSON.stringify(payload)).toString('base64')).toString('base64');
};
