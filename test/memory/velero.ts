import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Outcome, Person } from './person.ts';

/** Velero, as the API server sees it (velero pkg/restore/restore.go): a CREATE of each object, in the order of kinds and then of names. */

export const VELERO = 'system:serviceaccount:velero:velero';

const RESOURCES = ['secret', 'configmap', 'service', 'deployment', 'lease'];

const byName = (a: KubernetesObject, b: KubernetesObject): number =>
  (a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1;

/** Everything of the namespace, as it would lie in a backup. */
export const backUp = async (admin: Person, resources = RESOURCES): Promise<readonly KubernetesObject[]> => {
  const lists = await Promise.all(
    resources.map(async (resource) => {
      const list = (await admin.get(resource)) as KubernetesObject & { items: readonly KubernetesObject[] };
      const { apiVersion = '', kind = '' } = list;
      return list.items.toSorted(byName).map((item) => ({ apiVersion, kind: kind.replace(/List$/, ''), ...item }));
    }),
  );
  return lists.flat();
};

/** What Velero sends: without what belonged to the old cluster, and with its own labels. */
const toRestored = (object: KubernetesObject, restoreName: string): KubernetesObject => {
  const { status: _status, metadata = {}, ...rest } = object as KubernetesObject & { status?: unknown };
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _created,
    managedFields: _fields,
    ...kept
  } = metadata;
  const labels = { ...kept.labels, 'velero.io/backup-name': 'nightly', 'velero.io/restore-name': restoreName };
  return { ...rest, metadata: { ...kept, labels } };
};

/**
 * Restores the objects one by one; gives back all outcomes. What is there already stays, and Velero notes a warning, or is patched
 * (`existingResourcePolicy: update`).
 */
export const restore = async (
  velero: Person,
  objects: readonly (KubernetesObject | undefined)[],
  existing: 'none' | 'update' = 'none',
): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const object of objects) {
    if (object !== undefined)
      outcomes.push(await restoreOne(velero, toRestored(object, `nightly-${existing}`), existing));
  }
  return outcomes;
};

const restoreOne = async (velero: Person, object: KubernetesObject, existing: 'none' | 'update'): Promise<Outcome> => {
  const created = await velero.create(object);
  if (created.ok || !/already exists/.test(created.said)) return created;
  if (existing === 'none') return { ...created, ok: true };
  const { metadata: { labels, annotations } = {}, data } = object as KubernetesObject & { data?: object };
  const name = `${object.kind?.toLowerCase()}/${object.metadata?.name}`;
  return velero.patch(name, { metadata: { labels, ...(annotations && { annotations }) }, ...(data && { data }) });
};
