import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { FieldChange } from '../verdict.ts';
import { setsAnything } from './chart-value.ts';
import { fieldPointer, type Step, showFieldPath } from './field-path.ts';
import type { DriftInput } from './find-drift.ts';
import { descend, type IgnoreState, ignoredPaths, isIgnored } from './ignored-paths.ts';
import { isList, isMap, MAX_RECURSION, own } from './json.ts';
import type { SchemaNode } from './kind-versions.ts';
import { labelOf } from './owned-items.ts';

export type PrunedInput = Pick<DriftInput, 'scope' | 'document' | 'before' | 'ignore' | 'versions'> & {
  /** `group/version` of the request. */
  readonly asked: string;
};

/**
 * Fields that the API server drops because the request's version does not have them, although the write does not name them. The review shows
 * neither: the old object is read in the request's version too. What the chart sets counts for everybody. What else there was shows in
 * `managedFields`, which keep the version of each owner, and counts for people.
 */
export const findPruned = (input: PrunedInput): readonly FieldChange[] => {
  const { scope, document, before, asked, versions } = input;
  const fields = versions?.fields;
  const target = fields?.get(asked);
  if (fields === undefined || target === undefined) return [];
  const [group = '', kind] = [asked.split('/')[0], String(own(document, 'kind'))];
  const ignore = ignoredPaths(group, kind, document, before, input);
  const chartVersion = String(own(document, 'apiVersion'));
  const search: Search = { lost: { asked, chart: chartVersion }, found: new Map() };
  const source = fields.get(chartVersion);
  if (source !== undefined) visitValue(search, [], document, source, target, ignore);
  if (scope === 'AllFields') visitOwned(search, before, fields, target, ignore);
  return [...search.found.values()];
};

interface Search {
  readonly lost: NonNullable<FieldChange['lost']>;
  readonly found: Map<string, FieldChange>;
}

/** What every object has, whatever its schema says. */
const IDENTITY: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

const isSkipped = (steps: readonly Step[], key: string, state: IgnoreState): boolean =>
  (steps.length === 0 && IDENTITY.has(key)) || isIgnored(state);

const childOf = (node: SchemaNode, key: string): SchemaNode | undefined =>
  node.properties.get(key) ?? node.values ?? (node.keepsAll ? KEEPS_ALL : undefined);

const itemOf = (node: SchemaNode): SchemaNode | undefined => node.items ?? (node.keepsAll ? KEEPS_ALL : undefined);

const KEEPS_ALL: SchemaNode = { keepsAll: true, properties: new Map(), values: undefined, items: undefined };

const report = ({ lost, found }: Search, steps: readonly Step[]): void => {
  const path = showFieldPath(steps);
  const pointer = fieldPointer(steps, true);
  found.set(path, { path, pointer, before: undefined, after: undefined, secret: false, lost });
};

/** `source` is the schema of the version in which the value was written. What it does not have was never stored. */
const visitValue = (
  search: Search,
  steps: readonly Step[],
  value: unknown,
  source: SchemaNode,
  target: SchemaNode,
  ignore: IgnoreState,
): void => {
  if (steps.length >= MAX_RECURSION) return;
  if (isMap(value)) {
    for (const key of Object.keys(value)) {
      const state = descend(ignore, key);
      const [from, to] = [childOf(source, key), childOf(target, key)];
      if (from === undefined || isSkipped(steps, key, state)) continue;
      if (to !== undefined) visitValue(search, [...steps, key], own(value, key), from, to, state);
      else if (setsAnything(own(value, key))) report(search, [...steps, key]);
    }
  } else if (isList(value)) {
    const [from, to] = [itemOf(source), itemOf(target)];
    if (from === undefined || to === undefined) return;
    for (const [index, item] of value.entries()) {
      const step = { label: String(index), managedKey: undefined, beforeIndex: index, afterIndex: undefined };
      visitValue(search, [...steps, step], item, from, to, descend(ignore, String(index)));
    }
  }
};

const visitOwned = (
  search: Search,
  before: KubernetesObject,
  fields: ReadonlyMap<string, SchemaNode>,
  target: SchemaNode,
  ignore: IgnoreState,
): void => {
  for (const { apiVersion = '', subresource, fieldsV1 } of before.metadata?.managedFields ?? []) {
    const source = fields.get(apiVersion);
    if (source === undefined || subresource !== undefined || apiVersion === search.lost.asked) continue;
    visitFields(search, [], fieldsV1, source, target, ignore);
  }
};

const visitFields = (
  search: Search,
  steps: readonly Step[],
  owned: unknown,
  source: SchemaNode,
  target: SchemaNode,
  ignore: IgnoreState,
): void => {
  if (!isMap(owned) || steps.length >= MAX_RECURSION) return;
  for (const element of Object.keys(owned)) {
    if (element === '.' || element.startsWith('v:')) continue;
    const isField = element.startsWith('f:');
    const key = isField ? element.slice(2) : '*';
    const state = descend(ignore, key);
    const [from, to] = isField ? [childOf(source, key), childOf(target, key)] : [itemOf(source), itemOf(target)];
    if (from === undefined || isSkipped(steps, key, state)) continue;
    const step: Step = isField
      ? key
      : { label: labelOf(element), managedKey: element, beforeIndex: undefined, afterIndex: undefined };
    if (to === undefined) report(search, [...steps, step]);
    else visitFields(search, [...steps, step], owned[element], from, to, state);
  }
};
