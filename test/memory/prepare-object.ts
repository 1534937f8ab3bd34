import { randomUUID } from 'node:crypto';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { withDefaults } from './defaults.ts';
import { apiVersionOf, NAMESPACES, type Place, type Resource } from './resources.ts';

/** A new object with what the API server fills in before it asks any webhook. */
export const prepareNew = (
  { resource, namespace }: Place,
  object: KubernetesObject,
  time: string,
): KubernetesObject => {
  const { labels, name = '' } = object.metadata ?? {};
  const nameLabel = { 'kubernetes.io/metadata.name': name };
  return withGeneration(resource, undefined, {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    ...(resource.kind === 'Secret' && { type: 'Opaque' }),
    ...withData(withDefaults(object)),
    metadata: {
      ...withoutBlanks(object.metadata),
      ...(resource === NAMESPACES && { labels: { ...labels, ...nameLabel } }),
      ...(resource.namespaced && { namespace }),
      uid: randomUUID(),
      creationTimestamp: time,
    },
  });
};

/** What nobody changes by an update. */
const FIXED = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'resourceVersion'] as const;

/** An edited object with what the API server keeps as it was. */
export const prepareEdited = (
  resource: Resource,
  before: KubernetesObject,
  edited: KubernetesObject,
): KubernetesObject => {
  const { metadata = {} } = before;
  const fixed = FIXED.filter((key) => metadata[key] !== undefined).map((key) => [key, metadata[key]]);
  return withGeneration(resource, before, {
    ...withData(withDefaults(edited)),
    apiVersion: before.apiVersion ?? '',
    kind: before.kind ?? '',
    metadata: { ...withoutBlanks(edited.metadata), ...Object.fromEntries(fixed) },
  });
};

/** Empty maps and lists are not stored. */
const withoutBlanks = (metadata: KubernetesObject['metadata'] = {}): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(metadata).filter(
      ([, value]) => !(typeof value === 'object' && (value === null || Object.keys(value).length === 0)),
    ),
  );

export const finalizersOf = ({ metadata }: KubernetesObject): readonly string[] =>
  (metadata?.finalizers as readonly string[] | undefined) ?? [];

const withGeneration = (
  resource: Resource,
  before: KubernetesObject | undefined,
  after: KubernetesObject,
): KubernetesObject => {
  if (!resource.counted) return after;
  const generation = Number(before?.metadata?.generation ?? 0);
  const isKept = before !== undefined && JSON.stringify(before.spec) === JSON.stringify(after.spec);
  return { ...after, metadata: { ...after.metadata, generation: isKept ? generation : generation + 1 } };
};

/** `stringData` of a Secret becomes `data`. */
const withData = (object: KubernetesObject): KubernetesObject => {
  const { stringData, ...rest } = object;
  if (stringData === undefined) return object;
  const encoded = Object.entries(stringData as Record<string, string>).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  return { ...rest, data: { ...(object.data as object | undefined), ...Object.fromEntries(encoded) } };
};
