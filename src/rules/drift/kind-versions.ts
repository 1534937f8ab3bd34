import type { KubernetesObject } from '../../kubernetes/object.ts';
import { own } from './json.ts';

/** What is known of the versions of a kind, where an object is written in more than one. */
export interface KindVersions {
  /** The values of `apiVersion` that the API server no longer serves. */
  readonly unserved: ReadonlySet<string>;
  /**
   * The fields of each `apiVersion` of a custom resource whose versions the API server converts by changing `apiVersion` alone. It then drops
   * what a version does not have, when the object is written in that version. Undefined for every other kind.
   */
  readonly fields: ReadonlyMap<string, SchemaNode> | undefined;
}

/** The part of an OpenAPI schema that tells which fields the API server keeps. */
export interface SchemaNode {
  /** Whether all fields are kept. */
  readonly keepsAll: boolean;
  readonly properties: ReadonlyMap<string, SchemaNode>;
  /** For a map with keys of the user's own. */
  readonly values: SchemaNode | undefined;
  /** For a list. */
  readonly items: SchemaNode | undefined;
}

/** The versions in which the chart and the owners of fields write the object, other than the one of the request. */
export const otherVersions = (
  document: Readonly<Record<string, unknown>>,
  before: KubernetesObject,
  asked: string | undefined,
): readonly string[] => {
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
