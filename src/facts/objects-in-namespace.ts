import type { ManifestDocument } from '../helm/manifest.ts';
import type { ReleaseName } from '../helm/names.ts';
import { ownerOf } from '../helm/owner.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import { type Api, ApiError, isNotFound } from '../kubernetes/api.ts';
import type { Kinds } from '../kubernetes/kinds.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { ManifestNamespaces } from './manifest-namespaces.ts';
import type { Manifests } from './manifests.ts';

/** Whether a stored revision has objects in a namespace that is not its own. */
export interface ObjectsInNamespace {
  /**
   * An object that the manifest lists counts when it exists with the marks of the release. So nobody blocks a namespace by a manifest that lists
   * objects that were never created. Objects that Belay may not read do not count. Rejects when the API server does not answer.
   */
  has(record: ReleaseRecord, namespace: string, signal: AbortSignal): Promise<boolean>;
}

export interface ObjectsInNamespaceDependencies {
  readonly api: Api;
  readonly kinds: Kinds;
  readonly manifests: Pick<Manifests, 'of'>;
  readonly named: ManifestNamespaces;
}

/**
 * How many objects are looked for, one after the other, until one is found. In an installed release the first one is found, unless somebody has
 * deleted it by hand. At 20 ms each, 50 take one second of the ten that a review has.
 */
const MAX_LOOKED_FOR = 50;

export const createObjectsInNamespace = (dependencies: ObjectsInNamespaceDependencies): ObjectsInNamespace => {
  const { api, kinds, manifests, named } = dependencies;

  const find = async (document: ManifestDocument, signal: AbortSignal): Promise<KubernetesObject | undefined> => {
    try {
      const kind = await kinds.find(document.group, document.version, document.kind, signal);
      if (kind === undefined || !kind.namespaced) return undefined;
      return await api.request<KubernetesObject>({ path: kind.path(document.namespace, document.name), signal });
    } catch (error) {
      const isHidden = isNotFound(error) || (error instanceof ApiError && error.status === 403);
      if (!isHidden) throw error;
      return undefined;
    }
  };

  const isOf = (object: KubernetesObject | undefined, { name, namespace }: ReleaseName): boolean => {
    const owner = ownerOf(object);
    return owner?.name === name && owner.namespace === namespace;
  };

  return {
    has: async (record, namespace, signal) => {
      if (!(await named.read(record)).includes(namespace)) return false;
      const manifest = await manifests.of(record);
      if (manifest === undefined) return false;
      const marks = { name: record.release, namespace: manifest.namespace };
      const listed = manifest.documents.filter((document) => document.namespace === namespace);
      for (const document of listed.slice(0, MAX_LOOKED_FOR)) {
        if (isOf(await find(document, signal), marks)) return true;
      }
      return false;
    },
  };
};
