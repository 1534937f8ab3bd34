import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { type Payload, payloadIn } from '../../memory/record.ts';

/** All that is stored, by kind, namespace and name. */
export type Stored = ReadonlyMap<string, KubernetesObject>;

export const keyOf = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`;

export const keyOfObject = ({ kind = '', metadata }: KubernetesObject): string =>
  keyOf(kind, metadata?.namespace ?? '', metadata?.name ?? '');

/** A stored revision as Helm reads it: found by its labels, and told by its payload. */
export interface StoredRevision {
  readonly key: string;
  readonly kind: string;
  readonly revision: number;
  readonly status: string;
  readonly payload: Payload;
  readonly annotations: Readonly<Record<string, string>>;
  readonly object: KubernetesObject;
}

const payloads = new WeakMap<KubernetesObject, Payload | undefined>();

const readPayload = (object: KubernetesObject): Payload | undefined => {
  if (!payloads.has(object)) {
    let payload: Payload | undefined;
    try {
      payload = payloadIn(object);
    } catch {
      // Helm passes over what it cannot decode.
    }
    payloads.set(object, payload);
  }
  return payloads.get(object);
};

const toRevision = (key: string, object: KubernetesObject): StoredRevision | undefined => {
  const payload = readPayload(object);
  if (payload === undefined) return undefined;
  const { kind = '', metadata = {} } = object;
  const { version: revision, info } = payload;
  return { key, kind, revision, status: info.status ?? '', payload, annotations: metadata.annotations ?? {}, object };
};

/** The revisions of a release in Secrets and in ConfigMaps, the oldest first. */
export const revisionsIn = (stored: Stored, namespace: string, release: string): readonly StoredRevision[] =>
  [...stored]
    .filter(
      ([, { kind, metadata }]) =>
        (kind === 'Secret' || kind === 'ConfigMap') &&
        metadata?.namespace === namespace &&
        metadata.labels?.owner === 'helm' &&
        metadata.labels.name === release,
    )
    .flatMap(([key, object]) => toRevision(key, object) ?? [])
    .sort((a, b) => a.revision - b.revision);
