import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { type Chart, renderShop, SHOP, toManifest, type Values } from './chart.ts';
import { type HelmClient, HelmError, newPayload, type Revision } from './helm-client.ts';
import type { Payload } from './record.ts';

/**
 * What Helm does, as writes in the order in which the real ones were recorded (test/recording, held against each other by
 * test/unit/memory/helm.test.ts). An operation is a generator: it stops where Helm would run a hook, with its record pending.
 */
export type Steps = AsyncGenerator<'hook', void, void>;

export interface InstallOptions {
  readonly chart?: Chart;
  readonly replace?: boolean;
}

export interface UpgradeOptions {
  readonly chart?: Chart;
  readonly install?: boolean;
  readonly historyMax?: number;
  /** `--atomic`, `--rollback-on-failure`. */
  readonly atomic?: boolean;
  readonly cleanupOnFail?: boolean;
}

const DEFAULT_HISTORY_MAX = 10;

export const documentsOf = ({ manifest }: Payload): readonly KubernetesObject[] =>
  parseAllDocuments(manifest).map((document) => document.toJS() as KubernetesObject);

const isSameObject = (a: KubernetesObject, b: KubernetesObject): boolean =>
  a.kind === b.kind && a.metadata?.name === b.metadata?.name;

const isPending = (status: string): boolean => status.startsWith('pending-');

const deployedIn = (revisions: readonly Revision[]): Revision | undefined =>
  revisions.findLast(({ status }) => status === 'deployed');

/** Deletes the oldest revisions, so that there are `historyMax` with the one to come; never the deployed one. */
async function prune(client: HelmClient, release: string, historyMax: number): Promise<void> {
  const revisions = await client.revisions(release);
  const deployed = deployedIn(revisions)?.revision;
  const excess = historyMax === 0 ? 0 : revisions.length - (historyMax - 1);
  const oldest = revisions.filter(({ revision }) => revision !== deployed).slice(0, Math.max(0, excess));
  const problems: string[] = [];
  for (const { revision } of oldest) {
    await client.deleteRecord(release, revision).catch((error: Error) => problems.push(error.message));
  }
  if (problems.length > 0)
    throw new HelmError(`encountered ${problems.length} deletion errors. First is: ${problems[0]}`);
}

export async function* install(client: HelmClient, release: string, values: Values, options: InstallOptions): Steps {
  const { chart = SHOP, replace = false } = options;
  const last = (await client.revisions(release)).at(-1);
  if (last !== undefined) {
    const isFree = replace && (last.status === 'uninstalled' || last.status === 'failed');
    if (!isFree) throw new HelmError('INSTALLATION FAILED: cannot reuse a name that is still in use');
    await client.updateRecord(last.payload, 'superseded');
  }
  const documents = renderShop(release, values);
  const manifest = toManifest(documents);
  const what = { chart, config: values, manifest };
  const payload = newPayload(client, release, (last?.revision ?? 0) + 1, 'pending-install', what);
  await client.createRecord(payload);
  yield 'hook';
  // One that is refused keeps none of the others from being created.
  const problems: string[] = [];
  for (const document of documents) {
    await client.writeObject(document, release).catch((error: Error) => problems.push(error.message));
  }
  if (problems.length > 0) {
    await client.updateRecord(payload, 'failed');
    throw new HelmError(`INSTALLATION FAILED: ${problems.join('\n')}`);
  }
  await client.updateRecord(payload, 'deployed');
}

/** Writes the objects of the next revision, and deletes those that only the current one has. Helm 4 goes on after an update that is refused. */
async function replaceObjects(client: HelmClient, current: Payload, next: Payload, created: KubernetesObject[]) {
  const wanted = documentsOf(next);
  const originals = documentsOf(current);
  const problems: string[] = [];
  for (const document of wanted) {
    const isNew = !(await client.exists(document));
    try {
      const original = originals.find((other) => isSameObject(document, other));
      await client.writeObject(document, next.name, original);
      if (isNew) created.push(document);
    } catch (error) {
      if (isNew || client.version === 'helm3') throw error;
      problems.push((error as Error).message);
    }
  }
  if (problems.length > 0) throw new HelmError(problems.join('\n'));
  for (const document of originals) {
    if (!wanted.some((other) => isSameObject(document, other))) await client.deleteObject(document);
  }
}

export async function* upgrade(client: HelmClient, release: string, values: Values, options: UpgradeOptions): Steps {
  const { chart = SHOP, historyMax = DEFAULT_HISTORY_MAX } = options;
  const revisions = await client.revisions(release);
  const last = revisions.at(-1);
  if (options.install === true && (last === undefined || last.status === 'uninstalled')) {
    yield* install(client, release, values, { chart, replace: true });
    return;
  }
  if (last === undefined) throw new HelmError(`UPGRADE FAILED: "${release}" has no deployed releases`);
  if (isPending(last.status)) {
    throw new HelmError('UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress');
  }
  const fallback = last.status === 'failed' || last.status === 'superseded' ? last : undefined;
  const current = deployedIn(revisions) ?? fallback;
  if (current === undefined) throw new HelmError(`UPGRADE FAILED: "${release}" has no deployed releases`);
  // Helm takes the values of before where none are given.
  const config = Object.keys(values).length === 0 ? current.payload.config : values;
  const manifest = toManifest(renderShop(release, config));
  const next = newPayload(client, release, last.revision + 1, 'pending-upgrade', { chart, config, manifest });
  await prune(client, release, historyMax);
  await client.createRecord(next);
  yield 'hook';
  const created: KubernetesObject[] = [];
  try {
    await replaceObjects(client, current.payload, next, created);
  } catch (error) {
    await client.updateRecord(current.payload, current.status);
    await client.updateRecord(next, 'failed');
    if (options.cleanupOnFail === true) for (const document of created) await client.deleteObject(document);
    if (options.atomic === true) yield* rollback(client, release, current.revision, 0);
    throw new HelmError(`UPGRADE FAILED: ${(error as Error).message}`);
  }
  await noteRecord(client, current.payload, 'superseded');
  await client.updateRecord(next, 'deployed');
}

/** Of the end of the older revisions Helm only logs what goes wrong (pkg/action/action.go, recordRelease). */
const noteRecord = async (client: HelmClient, payload: Payload, status: string): Promise<void> => {
  await client.updateRecord(payload, status).catch((error: unknown) => {
    if (!(error instanceof HelmError)) throw error;
  });
};

export async function* rollback(
  client: HelmClient,
  release: string,
  to: number | undefined,
  historyMax = DEFAULT_HISTORY_MAX,
): Steps {
  const revisions = await client.revisions(release);
  const last = revisions.at(-1);
  const target = revisions.find(({ revision }) => revision === (to ?? (last?.revision ?? 0) - 1));
  if (last === undefined || target === undefined) throw new HelmError('ROLLBACK FAILED: release: not found');
  const { chart, config, manifest } = target.payload;
  const what = { chart: chart.metadata, config, manifest };
  const next = { ...newPayload(client, release, last.revision + 1, 'pending-rollback', what), chart };
  await prune(client, release, historyMax);
  await client.createRecord(next);
  yield 'hook';
  try {
    await replaceObjects(client, last.payload, next, []);
  } catch (error) {
    await client.updateRecord(last.payload, 'superseded');
    await client.updateRecord(next, 'failed');
    throw new HelmError(`ROLLBACK FAILED: ${(error as Error).message}`);
  }
  for (const { status, payload } of revisions)
    if (status === 'deployed') await noteRecord(client, payload, 'superseded');
  await client.updateRecord(next, 'deployed');
}

export async function* uninstall(client: HelmClient, release: string, keepHistory: boolean): Steps {
  const last = (await client.revisions(release)).at(-1);
  if (last === undefined) throw new HelmError('uninstall: Release not loaded: release: not found');
  const purge = async (): Promise<void> => {
    for (const { revision } of await client.revisions(release)) await client.deleteRecord(release, revision);
  };
  if (last.status === 'uninstalled') {
    if (keepHistory) throw new HelmError(`the release named "${release}" is already deleted`);
    await purge();
    return;
  }
  // Helm says nothing of a refusal of this write, and goes on.
  const uninstalling = await client
    .updateRecord(last.payload, 'uninstalling', { deleted: client.now() })
    .catch(() => last.payload);
  yield 'hook';
  const problems: string[] = [];
  for (const document of [...documentsOf(last.payload)].reverse()) {
    await client.deleteObject(document).catch((error: Error) => problems.push(error.message));
  }
  if (problems.length > 0) throw new HelmError(`failed to delete release: ${release}\n${problems.join('\n')}`);
  if (keepHistory) await client.updateRecord(uninstalling, 'uninstalled');
  else await purge();
}

/** `helm test`: the record is written before and after its hook, with nothing changed but when that ran. */
export async function* test(client: HelmClient, release: string): Steps {
  const last = (await client.revisions(release)).at(-1);
  if (last === undefined) throw new HelmError('release: not found');
  const { payload, status } = last;
  await client.updateRecord(withLastRun(payload, 'Running'), status);
  yield 'hook';
  await client.updateRecord(withLastRun(payload, 'Succeeded'), status);
}

const withLastRun = (payload: Payload, phase: string): Payload => ({
  ...payload,
  hooks: payload.hooks.map((hook) => ({ ...hook, last_run: { phase } })),
});
