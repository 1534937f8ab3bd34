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
  const selector = `owner=helm,name=${release}`;
  const list = JSON.parse(
    succeeds(await plane.kubectl(['get', kind, '-n', namespace, '-l', selector, '-o', 'json'])),
  ) as {
    items: readonly {
      metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
    }[];
  };
  return list.items
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

/** A namespace in which the users may do what the built-in role `edit` allows, and the admins what `admin` allows. */
export const makeNamespace = async (
  plane: ControlPlane,
  namespace: string,
  who: { readonly editors?: readonly string[]; readonly admins?: readonly string[] },
): Promise<void> => {
  succeeds(await plane.kubectl(['create', 'namespace', namespace]));
  for (const [role, users] of [
    ['edit', who.editors ?? []],
    ['admin', who.admins ?? []],
  ] as const) {
    if (users.length === 0) continue;
    const names = users.map((user) => `--user=${user}`);
    succeeds(await plane.kubectl(['create', 'rolebinding', role, '-n', namespace, `--clusterrole=${role}`, ...names]));
  }
};

/** A namespace as far as releases go: short enough to compare, complete enough that no change goes unseen. */
export const stateOf = async (plane: ControlPlane, namespace: string): Promise<readonly unknown[]> => {
  const kinds = 'deployment,service,configmap,secret,lease';
  const list = JSON.parse(succeeds(await plane.kubectl(['get', kinds, '-n', namespace, '-o', 'json']))) as {
    items: readonly KubernetesObject[];
  };
  return list.items.filter(({ metadata }) => metadata?.name !== 'kube-root-ca.crt').map(withoutNoise);
};

/** What controllers (of a Deployment) and Belay (of a claim) write by themselves, at any time. */
const withoutNoise = (object: KubernetesObject): unknown => {
  const { status: _status, metadata = {}, data, spec, ...rest } = object;
  const { managedFields: _managedFields, resourceVersion, generation: _generation, ...kept } = metadata;
  const isRecord = metadata.labels?.owner === 'helm' || metadata.name?.startsWith('sh.helm.release.v1.');
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = kept.annotations ?? {};
  return {
    ...rest,
    spec: object.kind === 'Lease' ? { ...(spec as object), renewTime: undefined } : spec,
    data: isRecord ? createHash('sha256').update(JSON.stringify(data)).digest('hex') : data,
    // A record is nobody's but Helm's: not even a write that changes nothing may have come through.
    metadata: { ...kept, annotations, ...(isRecord && { resourceVersion }) },
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
  const selector = `batch.kubernetes.io/job-name=${job}`;
  const pod = await waitUntil(`the pod of job ${job}`, async () => {
    const { stdout } = await plane.kubectl(['get', 'pod', '-n', namespace, '-l', selector, '-o', 'name']);
    return stdout.trim() || undefined;
  });
  const patch = '--patch={"status":{"phase":"Succeeded"}}';
  succeeds(await plane.kubectl(['patch', pod, '-n', namespace, '--subresource=status', patch]));
};

/** Resolves when a hook's Job is there: Helm then waits for it, with its record pending. */
export const waitForHook = async (plane: ControlPlane, namespace: string, job: string): Promise<void> => {
  await waitUntil(`the job ${job}`, async () => {
    const { code } = await plane.kubectl(['get', 'job', '-n', namespace, job]);
    return code === 0 || undefined;
  });
};

export interface StoredRecord extends KubernetesObject {
  readonly data: { readonly release: string };
}

/** A record as it is stored, whole. */
export const readRecord = async (
  plane: ControlPlane,
  namespace: string,
  name: string,
  kind: 'secret' | 'configmap' = 'secret',
): Promise<StoredRecord> =>
  JSON.parse(succeeds(await plane.kubectl(['get', kind, '-n', namespace, name, '-o', 'json']))) as StoredRecord;

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
