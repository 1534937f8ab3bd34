import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DenialCode } from '../../../src/rules/verdict.ts';
import type { CommandResult, ControlPlane } from '../harness/control-plane.ts';
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
