import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { DriftScope } from '../../policy/policy.ts';
import type { FieldChange } from '../verdict.ts';
import { isBuiltInGroup } from './built-in-groups.ts';
import { chartShape } from './chart-shape.ts';
import type { Step } from './field-path.ts';
import { descend, type IgnoreState, ignoredPaths, isIgnored } from './ignored-paths.ts';
import { deepEqual, isMap, type JsonMap, own } from './json.ts';
import { Walk } from './walk.ts';

export interface DriftInput {
  /** Which fields the writer answers for: people for all, service accounts for those that the chart sets, unless the policy says otherwise. */
  readonly scope: DriftScope;
  /** The object as the governing revision's manifest has it. */
  readonly document: Record<string, unknown>;
  readonly releaseName: string;
  readonly releaseNamespace: string;
  readonly before: KubernetesObject;
  readonly after: KubernetesObject;
  /** JSON Pointers (RFC 6901); `*` as a segment stands for any key or list item. */
  readonly ignore: readonly string[];
}

/** What of an UPDATE is drift. Empty: nothing is. Never throws, whatever the objects look like. */
export function findDrift(input: DriftInput): readonly FieldChange[] {
  const { document, before, after, scope } = input;
  const { group, kind } = identify(after, before);
  const ignore = ignoredPaths(group, kind, document, before, input.ignore);
  if (isIgnored(ignore)) return [];
  const isSecret = kind === 'Secret' && group === '';
  const walk = new Walk({
    before,
    after,
    isBuiltIn: isBuiltInGroup(group),
    isSecret: isSecret ? isSecretField : () => false,
  });
  const shape = chartShape(document, input, isSecret);
  const chartOnly = scope === 'ChartFields';
  for (const key of keysOf(before, after)) {
    if (key === 'metadata') findMetadataDrift(walk, chartOnly, shape, before, after, descend(ignore, key));
    else if (!identity.has(key)) {
      const [old, now] = [own(before, key), own(after, key)];
      // To find two trees equal takes half of what walking three does, and most writes leave `spec` alone.
      if (!deepEqual(old, now)) walk.field(key, chartOnly, own(shape, key), old, now, ignore);
    }
  }
  return walk.changes;
}

/** The status is the controllers'; the others say what the object is, not what is in it. */
const identity: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'status']);

/** Kept by the API server, or, as finalizers, by whoever needs them. */
const notDesiredState: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

function findMetadataDrift(
  walk: Walk,
  chartOnly: boolean,
  shape: JsonMap,
  before: JsonMap,
  after: JsonMap,
  ignore: IgnoreState,
): void {
  if (isIgnored(ignore)) return;
  const [chart, old, now] = [mapAt(shape, 'metadata'), mapAt(before, 'metadata'), mapAt(after, 'metadata')];
  walk.within('metadata', () => {
    for (const key of keysOf(old, now)) {
      if (notDesiredState.has(key)) continue;
      if (key !== 'labels' && key !== 'annotations') {
        walk.field(key, chartOnly, own(chart, key), own(old, key), own(now, key), ignore);
        continue;
      }
      // Labels and annotations are everybody's, but for those that the chart sets. One finding for each.
      const inner = descend(ignore, key);
      if (isIgnored(inner)) continue;
      const [set, was, is] = [mapAt(chart, key), mapAt(old, key), mapAt(now, key)];
      walk.within(key, () => {
        for (const name of Object.keys(set))
          walk.field(name, true, own(set, name), own(was, name), own(is, name), inner);
        if (key === 'annotations') findDesiredState(walk, set, was, is, inner);
      });
    }
  });
}

/** Whoever writes it, and whether or not the chart sets it: it is desired state in the clothes of metadata. */
function findDesiredState(walk: Walk, chart: JsonMap, before: JsonMap, after: JsonMap, ignore: IgnoreState): void {
  for (const name of keysOf(before, after)) {
    if (Object.hasOwn(chart, name) || !isDesiredState(name)) continue;
    walk.field(name, false, undefined, own(before, name), own(after, name), ignore);
  }
}

/**
 * - The Deployment controller goes back to the revision that is named there (k8s.io/kubernetes pkg/controller/deployment/rollback.go).
 * - autoscaling/v1 keeps there what only autoscaling/v2 has fields for (pkg/apis/autoscaling/v1/conversion.go). The other two of that
 *   prefix, `conditions` and `current-metrics`, are status.
 */
const isDesiredState = (annotation: string): boolean =>
  annotation === 'deprecated.deployment.rollback.to' ||
  annotation === 'autoscaling.alpha.kubernetes.io/metrics' ||
  annotation === 'autoscaling.alpha.kubernetes.io/behavior';

/** kubectl keeps a copy of the whole object in that annotation. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

const isSecretField = ([first, second, third]: readonly Step[]): boolean =>
  first === 'data' ||
  first === 'stringData' ||
  (first === 'metadata' && second === 'annotations' && (third === undefined || third === lastApplied));

const nothing: JsonMap = {};

const mapAt = (map: JsonMap, key: string): JsonMap => {
  const value = own(map, key);
  return isMap(value) ? value : nothing;
};

function keysOf(before: JsonMap, after: JsonMap): readonly string[] {
  const keys = Object.keys(before);
  for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) keys.push(key);
  return keys;
}

function identify(after: JsonMap, before: JsonMap): { readonly group: string; readonly kind: string } {
  const apiVersion = own(after, 'apiVersion') ?? own(before, 'apiVersion');
  const kind = own(after, 'kind') ?? own(before, 'kind');
  const slash = typeof apiVersion === 'string' ? apiVersion.indexOf('/') : -1;
  return {
    group: typeof apiVersion === 'string' && slash >= 0 ? apiVersion.slice(0, slash) : '',
    kind: typeof kind === 'string' ? kind : '',
  };
}
