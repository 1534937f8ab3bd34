import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { DriftScope } from '../../policy/policy.ts';
import type { FieldChange } from '../verdict.ts';
import { isBuiltInGroup } from './built-in-groups.ts';
import { chartShape } from './chart-shape.ts';
import type { Step } from './field-path.ts';
import { descend, type IgnoreState, ignoredPaths, isIgnored } from './ignored-paths.ts';
import { deepEqual, isMap, type JsonMap, own } from './json.ts';
import type { KindVersions } from './kind-versions.ts';
import { Walk } from './walk.ts';

export interface DriftInput {
  /** The fields that the writer may not change. By default: all for people, and the chart's for service accounts. */
  readonly scope: DriftScope;
  /** The object as the governing revision's manifest has it. */
  readonly document: Record<string, unknown>;
  readonly releaseName: string;
  readonly releaseNamespace: string;
  readonly before: KubernetesObject;
  readonly after: KubernetesObject;
  /** JSON Pointers (RFC 6901); `*` as a segment stands for any key or list item. */
  readonly ignore: readonly string[];
  /** Whether `kubectl rollout restart` counts as drift. */
  readonly countsRestart?: boolean;
  /** Needed where the chart, or an owner of fields, writes another version of the kind than the request. */
  readonly versions?: KindVersions | undefined;
}

/** The changes of an UPDATE that are drift. Never throws, whatever the objects look like. */
export const findDrift = (input: DriftInput): readonly FieldChange[] => {
  const { document, before, after, scope } = input;
  const { group, kind } = identify(after, before);
  const ignore = ignoredPaths(group, kind, document, before, input);
  if (isIgnored(ignore)) return [];
  const isSecret = kind === 'Secret' && group === '';
  const chartOnly = scope === 'ChartFields';
  const walk = new Walk({
    before,
    after,
    isBuiltIn: isBuiltInGroup(group),
    isSecret: isSecret ? isSecretField : () => false,
    // Charts leave what an operator is to fill in as an empty text.
    isEmptyBlank: chartOnly,
  });
  const shape = chartShape(document, input, isSecret);
  for (const key of keysOf(before, after)) {
    if (key === 'metadata') findMetadataDrift(walk, chartOnly, shape, before, after, descend(ignore, key));
    else if (!BEYOND_DESIRED_STATE.has(key)) {
      const [old, now] = [own(before, key), own(after, key)];
      // Most writes leave `spec` alone, and comparing two trees takes half the time of walking three.
      if (!deepEqual(old, now)) walk.field(key, chartOnly, own(shape, key), old, now, ignore);
    }
  }
  return walk.changes;
};

/** Fields beyond desired state: the status belongs to controllers, and the others identify the object. */
const BEYOND_DESIRED_STATE: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'status']);

/** Metadata that the API server writes, and finalizers, which controllers write. */
export const NOT_DESIRED_STATE: ReadonlySet<string> = new Set([
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

const findMetadataDrift = (
  walk: Walk,
  chartOnly: boolean,
  shape: JsonMap,
  before: JsonMap,
  after: JsonMap,
  ignore: IgnoreState,
): void => {
  if (isIgnored(ignore)) return;
  const [chart, old, now] = [mapAt(shape, 'metadata'), mapAt(before, 'metadata'), mapAt(after, 'metadata')];
  walk.within('metadata', () => {
    for (const key of keysOf(old, now)) {
      if (NOT_DESIRED_STATE.has(key)) continue;
      if (key !== 'labels' && key !== 'annotations') {
        walk.field(key, chartOnly, own(chart, key), own(old, key), own(now, key), ignore);
        continue;
      }
      // Anyone may write labels and annotations, except those that the chart sets. Each is a change of its own.
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
};

/** Annotations that are desired state. They count for every writer, also where the chart does not set them. */
const findDesiredState = (walk: Walk, chart: JsonMap, before: JsonMap, after: JsonMap, ignore: IgnoreState): void => {
  for (const name of keysOf(before, after)) {
    if (Object.hasOwn(chart, name) || !isDesiredState(name)) continue;
    walk.field(name, false, undefined, own(before, name), own(after, name), ignore);
  }
};

/**
 * - The Deployment controller rolls back to the revision that the first annotation names (k8s.io/kubernetes
 *   pkg/controller/deployment/rollback.go).
 * - autoscaling/v1 stores in the other two what only autoscaling/v2 has fields for (pkg/apis/autoscaling/v1/conversion.go). Two more
 *   annotations with that prefix, `conditions` and `current-metrics`, are status.
 */
const isDesiredState = (annotation: string): boolean =>
  annotation === 'deprecated.deployment.rollback.to' ||
  annotation === 'autoscaling.alpha.kubernetes.io/metrics' ||
  annotation === 'autoscaling.alpha.kubernetes.io/behavior';

/** kubectl stores a copy of the whole object in this annotation. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export const isSecretField = ([first, second, third]: readonly Step[]): boolean =>
  first === 'data' ||
  first === 'stringData' ||
  (first === 'metadata' && second === 'annotations' && (third === undefined || third === LAST_APPLIED));

const EMPTY_MAP: JsonMap = {};

const mapAt = (map: JsonMap, key: string): JsonMap => {
  const value = own(map, key);
  return isMap(value) ? value : EMPTY_MAP;
};

const keysOf = (before: JsonMap, after: JsonMap): readonly string[] => {
  const keys = Object.keys(before);
  for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) keys.push(key);
  return keys;
};

export const identify = (after: JsonMap, before: JsonMap): { readonly group: string; readonly kind: string } => {
  const apiVersion = own(after, 'apiVersion') ?? own(before, 'apiVersion');
  const kind = own(after, 'kind') ?? own(before, 'kind');
  const slash = typeof apiVersion === 'string' ? apiVersion.indexOf('/') : -1;
  return {
    group: typeof apiVersion === 'string' && slash >= 0 ? apiVersion.slice(0, slash) : '',
    kind: typeof kind === 'string' ? kind : '',
  };
};
