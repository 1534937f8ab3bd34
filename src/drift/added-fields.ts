import type { KubernetesObject, ManagedFieldsEntry } from '../kubernetes/object.ts';
import { fieldPointer, type Step, showFieldPath } from '../rules/drift/field-path.ts';
import { descend, type IgnoreState, ignoredPaths, isIgnored } from '../rules/drift/ignored-paths.ts';
import { isList, isMap, type JsonMap, maxRecursion, own } from '../rules/drift/json.ts';
import { findManagedList, managedFieldSets } from '../rules/drift/managed-lists.ts';
import { pairLists } from '../rules/drift/pair-lists.ts';
import { lastWriter, ownersOf } from './field-owners.ts';
import type { DriftedField } from './findings.ts';

export interface AddedFieldsInput {
  /** The chart's document as it is stored. */
  readonly stored: KubernetesObject;
  /** The chart's document as the chart has it, without the ownership marks. */
  readonly document: JsonMap;
  readonly live: KubernetesObject;
  readonly group: string;
  readonly kind: string;
  readonly ignore: readonly string[];
  /** Helm's name among the field managers. */
  readonly manager: string;
}

/** Maps whose keys are their content. In all others a key that the chart leaves out is a field with a default. */
const OPEN_MAPS: ReadonlySet<string> = new Set([
  'annotations',
  'binaryData',
  'data',
  'labels',
  'limits',
  'nodeSelector',
  'requests',
]);

/** What Kubernetes keeps there for itself, such as `pv.kubernetes.io/bind-completed`. */
const RESERVED = /^([a-z0-9-]+\.)*(kubernetes\.io|k8s\.io)\/|^belay\.dev\//;

/** They fill in what others asked for, and their names are set by Kubernetes' own programs. */
const KUBERNETES: ReadonlySet<string> = new Set([
  'cloud-controller-manager',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
]);

/**
 * What others have put into lists, and into maps of which the chart sets some: an environment variable, a key of a ConfigMap, an
 * annotation. Only what has an owner is found: what nobody owns was filled in by the API server or by a webhook, as part of Helm's
 * own write.
 */
export const findAddedFields = (input: AddedFieldsInput): readonly DriftedField[] => {
  const { stored, document, live, group, kind, ignore, manager } = input;
  const isSecret = kind === 'Secret' && group === '';
  const sets = managedFieldSets(live);
  const found: DriftedField[] = [];

  const isByOthers = ({ manager: owner = '', operation, subresource }: ManagedFieldsEntry): boolean => {
    if (subresource !== undefined || KUBERNETES.has(owner)) return false;
    // What Helm 4 has applied and the chart does not set is left over from a revision that failed. What Helm 3 owns may be a
    // default, or have come from a webhook with Helm's own write.
    return owner !== manager || operation === 'Apply';
  };

  const report = (steps: readonly Step[], value: unknown): void => {
    const pointer = fieldPointer(steps, false);
    const owners = ownersOf(live, pointer);
    if (owners.length === 0 || !owners.every(isByOthers)) return;
    const secret = isSecret && steps[0] === 'data';
    found.push({
      path: showFieldPath(steps),
      pointer,
      before: undefined,
      after: value,
      secret,
      writer: lastWriter(live, pointer),
    });
  };

  const visit = (steps: readonly Step[], chart: unknown, value: unknown, state: IgnoreState): void => {
    if (isIgnored(state) || steps.length >= maxRecursion) return;
    if (isMap(chart) && isMap(value)) visitMap(steps, chart, value, state);
    else if (isList(chart) && isList(value) && chart.length > 0) visitList(steps, chart, value, state);
  };

  const visitMap = (steps: readonly Step[], chart: JsonMap, value: JsonMap, state: IgnoreState): void => {
    for (const key of Object.keys(chart)) visit([...steps, key], own(chart, key), own(value, key), descend(state, key));
    const name = steps.at(-1);
    const isOpen = typeof name === 'string' && OPEN_MAPS.has(name);
    if (Object.keys(chart).length === 0) return;
    for (const key of Object.keys(value)) {
      if (own(chart, key) !== undefined || isIgnored(descend(state, key))) continue;
      // A list that the chart leaves out altogether, such as the variables of a container, is empty to the chart.
      if (isOpen ? !RESERVED.test(key) : isList(value[key])) report([...steps, key], value[key]);
    }
  };

  const visitList = (
    steps: readonly Step[],
    chart: readonly unknown[],
    value: readonly unknown[],
    state: IgnoreState,
  ): void => {
    // A list that is one value as a whole is compared as one.
    for (const pair of pairLists(findManagedList(sets, steps), chart, value, value) ?? []) {
      const below = descend(state, String(pair.afterIndex));
      if (pair.chartIndex !== undefined) visit([...steps, pair], pair.chart, pair.after, below);
      else if (pair.after !== undefined && !isIgnored(below)) report([...steps, pair], pair.after);
    }
  };

  const root = ignoredPaths(group, kind, document, live, ignore);
  if (isIgnored(root)) return [];
  for (const key of Object.keys(stored)) {
    if (key === 'metadata' || key === 'status') continue;
    visit([key], own(stored, key), own(live, key), descend(root, key));
  }
  // Labels and annotations are everybody's, but where the chart has some of its own.
  const [own_, all] = [own(document, 'metadata'), own(stored, 'metadata')];
  const here = own(live, 'metadata');
  for (const key of ['labels', 'annotations']) {
    const set = isMap(own_) ? own(own_, key) : undefined;
    if (!isMap(set) || Object.keys(set).length === 0 || !isMap(all) || !isMap(here)) continue;
    visit(['metadata', key], own(all, key), own(here, key), descend(descend(root, 'metadata'), key));
  }
  return found;
};
