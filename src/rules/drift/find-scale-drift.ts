import type { DriftScope } from '../../policy/policy.ts';
import type { FieldChange } from '../verdict.ts';
import { isRestored } from './chart-value.ts';
import { descend, ignoredPaths, isIgnored } from './ignored-paths.ts';
import { isMap, own } from './json.ts';

export interface ScaleDriftInput {
  readonly scope: DriftScope;
  /** The parent's document in the governing revision's manifest. */
  readonly document: Record<string, unknown>;
  readonly beforeReplicas: number | undefined;
  readonly afterReplicas: number | undefined;
  readonly ignore: readonly string[];
}

/** The drift of a write of the `scale` subresource, which changes `spec.replicas` of its parent. An absent number means zero in a Scale. */
export const findScaleDrift = (input: ScaleDriftInput): readonly FieldChange[] => {
  const { scope, document } = input;
  const [before, after] = [input.beforeReplicas ?? 0, input.afterReplicas ?? 0];
  if (before === after) return [];
  const spec = own(document, 'spec');
  const chart = isMap(spec) ? own(spec, 'replicas') : undefined;
  if ((scope === 'ChartFields' && chart === undefined) || isRestored(chart, before, after, 'spec', 'replicas', true))
    return [];
  const root = ignoredPaths('', '', document, {}, input);
  const inSpec = descend(root, 'spec');
  if ([root, inSpec, descend(inSpec, 'replicas')].some(isIgnored)) return [];
  return [
    {
      path: 'spec.replicas',
      pointer: '/spec/replicas',
      before: input.beforeReplicas,
      after: input.afterReplicas,
      secret: false,
    },
  ];
};
