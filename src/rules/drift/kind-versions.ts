import type { KubernetesObject } from '../../kubernetes/object.ts';
import { own } from './json.ts';

/** What is known of the versions of a kind, where an object is written in more than one. */
export interface KindVersions {
  /** The values of `apiVersion` that the API server no longer serves. */
  readonly unserved: ReadonlySet<string>;
}

/** The versions in which the chart and the owners of fields write the object, other than the one of the request. */
export const otherVersions = (
  document: Readonly<Record<string, unknown>>,
  before: KubernetesObject,
  after: KubernetesObject,
): readonly string[] => {
  const asked = after.apiVersion;
  let others: Set<string> | undefined;
  const note = (apiVersion: unknown): void => {
    if (apiVersion === asked || typeof apiVersion !== 'string') return;
    others ??= new Set();
    others.add(apiVersion);
  };
  note(own(document, 'apiVersion'));
  for (const { apiVersion } of before.metadata?.managedFields ?? []) note(apiVersion);
  return others === undefined ? NONE : [...others];
};

const NONE: readonly string[] = [];
