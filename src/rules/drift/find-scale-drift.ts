import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { DriftScope } from '../../policy/policy.ts';
import type { FieldChange } from '../verdict.ts';
import { isRestored } from './chart-value.ts';
import { findReleaseWriters } from './field-ownership.ts';
import { descend, ignoredPaths, isIgnored } from './ignored-paths.ts';
import { isMap, type JsonMap, own } from './json.ts';

export interface ScaleDriftInput {
  readonly scope: DriftScope;
  /** The parent's document in the governing revision's manifest. */
  readonly document: Record<string, unknown>;
  readonly beforeReplicas: number | undefined;
  readonly afterReplicas: number | undefined;
  readonly ignore: readonly string[];
}

const chartReplicas = (document: JsonMap): unknown => {
  const spec = own(document, 'spec');
  return isMap(spec) ? own(spec, 'replicas') : undefined;
};

const changeOf = ({ beforeReplicas, afterReplicas }: ScaleDriftInput): FieldChange => ({
  path: 'spec.replicas',
  pointer: '/spec/replicas',
  before: beforeReplicas,
  after: afterReplicas,
  secret: false,
});

/** The drift of a write of the `scale` subresource, which changes `spec.replicas` of its parent. An absent number means zero in a Scale. */
export const findScaleDrift = (input: ScaleDriftInput): readonly FieldChange[] => {
  const { scope, document } = input;
  const [before, after] = [input.beforeReplicas ?? 0, input.afterReplicas ?? 0];
  if (before === after) return [];
  const chart = chartReplicas(document);
  if ((scope === 'ChartFields' && chart === undefined) || isRestored(chart, before, after, 'spec', 'replicas', true))
    return [];
  const root = ignoredPaths('', '', document, {}, input);
  const inSpec = descend(root, 'spec');
  if ([root, inSpec, descend(inSpec, 'replicas')].some(isIgnored)) return [];
  return [changeOf(input)];
};

/** The replicas, where the write brings back the chart's number, and takes them from a release that is applied on the server. */
export const findScaleRestored = (
  parent: KubernetesObject,
  input: ScaleDriftInput,
  username: string,
): readonly FieldChange[] => {
  const chart = chartReplicas(input.document);
  const [before, after] = [input.beforeReplicas ?? 0, input.afterReplicas ?? 0];
  if (!isRestored(chart, before, after, 'spec', 'replicas', true)) return [];
  if (findReleaseWriters(parent)?.operation !== 'Apply') return [];
  // The review does not tell the name under which the user writes.
  const owner = { manager: username, operation: 'Update', apiVersion: parent.apiVersion ?? '', subresource: 'scale' };
  return [{ ...changeOf(input), owners: { before: [], after: [owner] } }];
};
