import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isBuiltInGroup } from './built-in-groups.ts';
import { isExactlyOwned } from './chart-ownership.ts';
import { chartShape } from './chart-shape.ts';
import { isMap, type JsonMap, own } from './json.ts';
import { worksByBeingCreated } from './works-by-being-created.ts';

export interface CreateInput {
  /** The object as the governing revision's manifest has it. */
  readonly document: JsonMap;
  readonly releaseName: string;
  readonly releaseNamespace: string;
  readonly group: string;
  readonly kind: string;
  /** What is to be created, as the API server would store it. */
  readonly after: KubernetesObject;
}

/**
 * Whether a CREATE brings back exactly what the chart says: whoever creates has set every field that the chart sets, to the chart's value,
 * and no other one.
 *
 * What he has set tells `managedFields`. After a server-side apply they hold the fields of the request, under the operation Apply. What is
 * in the object besides nobody owns: it is the API server's own default, or comes from a webhook. After a POST they hold all that came,
 * with the defaults, under Update: there is no telling one from the other, and that is never known to restore. Who creates cannot
 * write them himself. In a server-side apply the API server takes none; to those of a POST it adds its own entry, of all there is.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function restoresObject(input: CreateInput): boolean {
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
}

/** The API server has made `data` of it, and nobody owns that. */
const withoutStringData = ({ 'f:stringData': text, ...fields }: JsonMap): JsonMap => {
  if (text === undefined) return fields;
  const data = own(fields, 'f:data');
  // What is neither a set of fields nor nothing makes no sense, and is left to be found out.
  return isMap(text) && (data === undefined || isMap(data))
    ? { ...fields, 'f:data': { ...data, ...text } }
    : { '?': {} };
};

/** Nobody owns these: what the object is, and what the API server alone writes. The object was found in the manifest by its identity. */
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
