import type { KubernetesObject, ManagedFieldsEntry } from '../kubernetes/object.ts';
import { fieldPointer, type Step, showFieldPath } from '../rules/drift/field-path.ts';
import { descend, type IgnoreState, ignoredPaths, isIgnored } from '../rules/drift/ignored-paths.ts';
import { isList, isMap, type JsonMap, MAX_RECURSION, own } from '../rules/drift/json.ts';
import { findManagedList, managedFieldSets } from '../rules/drift/managed-lists.ts';
import { pairLists } from '../rules/drift/pair-lists.ts';
import { lastWriter, ownersOf } from './field-owners.ts';
import type { DriftedField } from './findings.ts';
import { isUsualAddition } from './own-doing.ts';

export interface AddedFieldsInput {
  /** The chart's document as it is stored. */
  readonly stored: KubernetesObject;
  /** The document as the chart has it, without the ownership marks. */
  readonly document: JsonMap;
  readonly live: KubernetesObject;
  readonly group: string;
  readonly kind: string;
  readonly ignore: readonly string[];
  /** Helm's name among the field managers. */
  readonly manager: string;
}

/** Maps whose keys are their content. In any other map, a key that the chart leaves out is a field with a default. */
const OPEN_MAPS: ReadonlySet<string> = new Set([
  'annotations',
  'binaryData',
  'data',
  'labels',
  'limits',
  'nodeSelector',
  'requests',
]);

/** Keys that Kubernetes and Belay keep for themselves, such as `pv.kubernetes.io/bind-completed`. */
const RESERVED = /^([a-z0-9-]+\.)*(kubernetes\.io|k8s\.io)\/|^belay\.dev\//;

/** Managers of Kubernetes' own programs. They fill in what others asked for. */
const KUBERNETES: ReadonlySet<string> = new Set([
  'cloud-controller-manager',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
]);

/** What the search for added fields needs at each place of the object. */
interface Search {
  readonly live: KubernetesObject;
  readonly manager: string;
  readonly isSecret: boolean;
  readonly sets: ReturnType<typeof managedFieldSets>;
  readonly found: DriftedField[];
}

/**
 * Fields that others have put into lists, and into maps of which the chart sets some keys: an environment variable, a key of a ConfigMap, an
 * annotation. Only a field with an owner is found. A field without an owner was filled in by the API server or by a webhook, as part of
 * Helm's own write.
 */
export const findAddedFields = (input: AddedFieldsInput): readonly DriftedField[] => {
  const { stored, document, live, group, kind, ignore, manager } = input;
  const found: DriftedField[] = [];
  const isSecret = kind === 'Secret' && group === '';
  const search: Search = { live, manager, isSecret, sets: managedFieldSets(live), found };
  const root = ignoredPaths(group, kind, document, live, { ignore });
  if (isIgnored(root)) return [];
  for (const key of Object.keys(stored)) {
    if (key === 'metadata' || key === 'status') continue;
    visit(search, [key], own(stored, key), own(live, key), descend(root, key));
  }
  visitMetadata(search, input, descend(root, 'metadata'));
  return found;
};

/** Anybody may add labels and annotations, except where the chart sets some of its own. */
const visitMetadata = (search: Search, { document, stored, live }: AddedFieldsInput, state: IgnoreState): void => {
  const [ofChart, ofStored, ofLive] = [own(document, 'metadata'), own(stored, 'metadata'), own(live, 'metadata')];
  if (!isMap(ofChart) || !isMap(ofStored) || !isMap(ofLive)) return;
  for (const key of ['labels', 'annotations']) {
    const set = own(ofChart, key);
    if (!isMap(set) || Object.keys(set).length === 0) continue;
    visit(search, ['metadata', key], own(ofStored, key), own(ofLive, key), descend(state, key));
  }
};

const visit = (search: Search, steps: readonly Step[], chart: unknown, value: unknown, state: IgnoreState): void => {
  if (isIgnored(state) || steps.length >= MAX_RECURSION) return;
  if (isMap(chart) && isMap(value)) visitMap(search, steps, chart, value, state);
  else if (isList(chart) && isList(value) && chart.length > 0) visitList(search, steps, chart, value, state);
};

const visitMap = (search: Search, steps: readonly Step[], chart: JsonMap, value: JsonMap, state: IgnoreState): void => {
  for (const key of Object.keys(chart))
    visit(search, [...steps, key], own(chart, key), own(value, key), descend(state, key));
  const name = steps.at(-1);
  const isOpen = typeof name === 'string' && OPEN_MAPS.has(name);
  if (Object.keys(chart).length === 0) return;
  for (const key of Object.keys(value)) {
    if (own(chart, key) !== undefined || isIgnored(descend(state, key))) continue;
    // A list that the chart leaves out altogether, such as the variables of a container, is empty to the chart.
    if (isOpen ? !RESERVED.test(key) : isList(value[key])) report(search, [...steps, key], value[key]);
  }
};

const visitList = (
  search: Search,
  steps: readonly Step[],
  chart: readonly unknown[],
  value: readonly unknown[],
  state: IgnoreState,
): void => {
  // A list without pairs is one value to the API server, and is compared as one value.
  for (const pair of pairLists(findManagedList(search.sets, steps), chart, value, value) ?? []) {
    const below = descend(state, String(pair.afterIndex));
    if (pair.chartIndex !== undefined) visit(search, [...steps, pair], pair.chart, pair.after, below);
    else if (pair.after !== undefined && !isIgnored(below)) report(search, [...steps, pair], pair.after);
  }
};

const report = ({ live, manager, isSecret, found }: Search, steps: readonly Step[], value: unknown): void => {
  if (isUsualAddition(steps)) return;
  const pointer = fieldPointer(steps, false);
  const owners = ownersOf(live, pointer);
  if (owners.length === 0 || !owners.every((owner) => isByOthers(owner, manager))) return;
  found.push({
    path: showFieldPath(steps),
    pointer,
    before: undefined,
    after: value,
    secret: isSecret && steps[0] === 'data',
    writer: lastWriter(live, pointer),
  });
};

const isByOthers = ({ manager = '', operation, subresource }: ManagedFieldsEntry, ofRelease: string): boolean => {
  if (subresource !== undefined || KUBERNETES.has(manager)) return false;
  // Fields that Helm 4 has applied and the chart does not set are left over from a revision that failed. Fields that Helm 3 owns may be
  // defaults, or may have come from a webhook with Helm's own write.
  return manager !== ofRelease || operation === 'Apply';
};
