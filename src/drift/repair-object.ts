import type { Api } from '../kubernetes/api.ts';
import type { Kind, Kinds } from '../kubernetes/kinds.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { worksByBeingCreated } from '../rules/drift/works-by-being-created.ts';
import { findAddedFields } from './added-fields.ts';
import { compareChartFields } from './compare.ts';
import { splitPointer } from './field-owners.ts';
import type { DriftedField, ObjectDrift } from './findings.ts';
import { keepLeft } from './keep-left.ts';
import { type Marks, toStored } from './placed-document.ts';
import { rehearsingApi } from './rehearsing-api.ts';
import { writeDocument } from './write-document.ts';

export interface RepairDependencies {
  readonly api: Api;
  readonly kinds: Kinds;
}

export interface RepairOptions {
  /** Whether fields that others have added are removed. */
  readonly prune: boolean;
  /** The API server answers whether it would accept the write, and stores nothing. */
  readonly dryRun: boolean;
  readonly marks: Marks;
  readonly ignore: readonly string[];
}

export type Repaired =
  | { readonly done: 'created' | 'pruned'; readonly live: KubernetesObject }
  /** `notPruned`: the error by which fields that others have added are still there. */
  | { readonly done: 'restored'; readonly live: KubernetesObject; readonly notPruned?: unknown }
  /** `nothing`: no repair was tried. `failed`: the repair did not work. */
  | { readonly done: 'nothing' | 'failed'; readonly why: string };

const nothing = (why: string): Repaired => ({ done: 'nothing', why });

/** Later places come first, so that no removal moves a place that is still to be removed. */
const byPlace = (a: DriftedField, b: DriftedField): number => {
  const [left, right] = [splitPointer(a.pointer), splitPointer(b.pointer)];
  for (const [index, key] of left.entries()) {
    const other = right[index];
    if (other === undefined) return -1;
    if (key === other) continue;
    const order = /^\d+$/.test(key) && /^\d+$/.test(other) ? Number(other) - Number(key) : 0;
    return order === 0 ? (key < other ? 1 : -1) : order;
  }
  return right.length > left.length ? 1 : 0;
};

/**
 * Sets an object back to what the chart says. It writes under Helm's own name, so that the next upgrade by Helm 4 conflicts with no other field
 * manager. It writes over exactly the version that was looked at, and deletes no object. Rejects with ApiError when the API server refuses the
 * write: 409 when somebody has written in between.
 */
export const repairObject = async (
  { api: writing, kinds }: RepairDependencies,
  drift: ObjectDrift,
  { prune, dryRun, marks, ignore }: RepairOptions,
  signal: AbortSignal,
): Promise<Repaired> => {
  const api = dryRun ? rehearsingApi(writing) : writing;
  const { object, document, manager, method, live, problem } = drift;
  const { group, name, namespace } = object;
  if (problem === 'unmarked') return nothing('it does not carry the marks of the release');
  const version = drift.apiVersion.split('/').at(-1) ?? '';
  const kind = await kinds.find(group, version, object.kind, signal);
  if (kind === undefined) return nothing('the API server does not serve its kind');
  const write = { kind, namespace, name, manager, dryRun };

  if (live === undefined) {
    if (worksByBeingCreated(group, object.kind))
      return nothing(`a ${object.kind} is not created again, because it would run again`);
    // Without force, the API server refuses this write when somebody has just created an object of that name. The values of that object stay.
    const created = await writeDocument(api, { ...write, document, method: 'apply', force: false }, signal);
    return { done: 'created', live: created };
  }

  const { resourceVersion, uid } = live.metadata ?? {};
  let now = live;
  if (drift.changed.length > 0) {
    if (method === undefined) return nothing('the API server did not say what the values of the chart come to');
    const kept = keepLeft(document, live, group, ignore);
    const exactly = { ...kept, metadata: { ...kept.metadata, resourceVersion, uid } } as KubernetesObject;
    now = await writeDocument(api, { ...write, document: exactly, method, force: true }, signal);
    const left = compareChartFields({ desired: drift.desired, live: now, document, marks, ignore });
    if (left.length > 0)
      return { done: 'failed', why: 'the API server took the values of the chart, and others came out' };
  }
  if (!prune || drift.added.length === 0) {
    return drift.changed.length > 0
      ? { done: 'restored', live: now }
      : nothing('fields that others added are left alone');
  }
  // A dry run has stored nothing, so the fields to remove are still in the live object.
  const pruning = { api, kind, now: dryRun ? live : now, dryRun, drift, marks, ignore };
  if (drift.changed.length === 0) return { done: 'pruned', live: await takeAway(pruning, signal) };
  try {
    return { done: 'restored', live: await takeAway(pruning, signal) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { done: 'restored', live: now, notPruned: error };
  }
};

interface Pruning {
  readonly api: Api;
  readonly kind: Kind;
  readonly now: KubernetesObject;
  readonly dryRun: boolean;
  readonly drift: ObjectDrift;
  readonly marks: Marks;
  readonly ignore: readonly string[];
}

const takeAway = async (
  { api, kind, now, dryRun, drift, marks, ignore }: Pruning,
  signal: AbortSignal,
): Promise<KubernetesObject> => {
  const { object, document, manager } = drift;
  const asked = new Set(drift.added.map(({ path }) => path));
  const stored = toStored(document, marks);
  const input = { stored, document, live: now, group: object.group, kind: object.kind, ignore, manager };
  // The added fields are looked for again, because places in lists may have moved. Only fields that were shown are removed.
  const added = findAddedFields(input).filter(({ path }) => asked.has(path));
  if (added.length === 0) return now;
  return api.request<KubernetesObject>({
    method: 'PATCH',
    path: kind.path(object.namespace, object.name),
    query: { fieldManager: manager, dryRun: dryRun ? 'All' : undefined },
    contentType: 'application/json-patch+json',
    // The tests hold the patch to exactly what was seen. They leave the resourceVersion out, because a controller often writes the status just now.
    body: [
      { op: 'test', path: '/metadata/uid', value: now.metadata?.uid },
      ...added.map(({ pointer, after }) => ({ op: 'test', path: pointer, value: after })),
      ...added.toSorted(byPlace).map(({ pointer }) => ({ op: 'remove', path: pointer })),
    ],
    signal,
  });
};
