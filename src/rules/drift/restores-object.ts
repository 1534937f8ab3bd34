import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isBuiltInGroup } from './built-in-groups.ts';
import { isExactlyOwned } from './chart-ownership.ts';
import { chartShape } from './chart-shape.ts';
import { type DriftInput, findDrift } from './find-drift.ts';
import { holdsChart } from './holds-chart.ts';
import { ignoredPaths } from './ignored-paths.ts';
import { isMap, type JsonMap, own } from './json.ts';
import { worksByBeingCreated } from './works-by-being-created.ts';

export interface CreateInput {
  /** The object as the governing revision's manifest has it. */
  readonly document: JsonMap;
  readonly releaseName: string;
  readonly releaseNamespace: string;
  readonly group: string;
  readonly kind: string;
  /** The new object, as the API server would store it. */
  readonly after: KubernetesObject;
}

/**
 * Whether a CREATE brings an object back exactly as the chart has it: its user sets every field that the chart sets, to the chart's value,
 * and no other field.
 *
 * `managedFields` shows which fields the user has set:
 * - After a server-side apply, an entry with the operation Apply holds the fields of the request. Fields that no entry holds are defaults of
 *   the API server, or come from a webhook.
 * - After a POST, an entry with the operation Update holds all fields, the defaults among them. They cannot be told apart, so a POST never
 *   counts as restoring.
 *
 * A user cannot forge `managedFields`: the API server takes none in a server-side apply, and adds its own entry of all fields to a POST.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export const restoresObject = (input: CreateInput): boolean => {
  const { document, after, group, kind } = input;
  if (worksByBeingCreated(group, kind) || own(document, 'apiVersion') !== after.apiVersion) return false;
  const [entry, ...others] = after.metadata?.managedFields ?? [];
  if (entry === undefined || others.length > 0) return false;
  const { operation, apiVersion, subresource, fieldsV1 } = entry;
  if (operation !== 'Apply' || apiVersion !== after.apiVersion || subresource !== undefined || !isMap(fieldsV1))
    return false;
  const isSecret = kind === 'Secret' && group === '';
  const fields = isSecret ? withoutStringData(fieldsV1) : fieldsV1;
  return isExactlyOwned(fields, withoutIdentity(chartShape(document, input, isSecret)), after, isBuiltInGroup(group));
};

/**
 * Whether a CREATE brings an object back with every field that the chart sets, to the chart's value. It may set other fields, and by whatever verb: who
 * may change those in an UPDATE may set them in a CREATE. Flux corrects drift by it, and operators spell out defaults.
 */
export const restoresChartFields = (input: CreateInput & Pick<DriftInput, 'ignore'>): boolean => {
  const { document, after, group, kind, releaseName, releaseNamespace, ignore } = input;
  if (worksByBeingCreated(group, kind) || own(document, 'apiVersion') !== after.apiVersion) return false;
  const { status: _status, ...shape } = chartShape(document, input, kind === 'Secret' && group === '');
  const paths = ignoredPaths(group, kind, document, after, { ignore });
  const drift = { scope: 'ChartFields', document, releaseName, releaseNamespace, before: {}, after, ignore } as const;
  return holdsChart(withPlace(shape, after), after, paths, isBuiltInGroup(group)) && findDrift(drift).length === 0;
};

/** The API server puts an object into the namespace of the request, and the manifest need not name it. */
const withPlace = (shape: JsonMap, after: KubernetesObject): JsonMap => {
  const metadata = own(shape, 'metadata');
  const { name, namespace } = after.metadata ?? {};
  return { ...shape, metadata: { ...(isMap(metadata) ? metadata : {}), name, namespace } };
};

/** Moves ownership of `stringData` to `data`: the API server turns the one into the other, and leaves ownership as it was. */
const withoutStringData = ({ 'f:stringData': text, ...fields }: JsonMap): JsonMap => {
  if (text === undefined) return fields;
  const data = own(fields, 'f:data');
  // Malformed fields match no chart: no chart sets a field of that name.
  return isMap(text) && (data === undefined || isMap(data))
    ? { ...fields, 'f:data': { ...data, ...text } }
    : { '?': {} };
};

/** Fields that no entry of `managedFields` holds: they identify the object, or only the API server writes them. */
const UNOWNED: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'generation',
  'managedFields',
  'name',
  'namespace',
  'resourceVersion',
  'selfLink',
  'uid',
]);

const withoutIdentity = (shape: JsonMap): JsonMap => {
  const { apiVersion: _apiVersion, kind: _kind, status: _status, ...rest } = shape;
  const metadata = own(shape, 'metadata');
  const kept = Object.entries(isMap(metadata) ? metadata : {}).filter(([key]) => !UNOWNED.has(key));
  return { ...rest, metadata: Object.fromEntries(kept) };
};
