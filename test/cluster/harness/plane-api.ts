import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { type ApiClient, createApiClient, RefusedRequest } from './api-client.ts';
import { jsonPath } from './json-path.ts';
import { createResourceIndex } from './resource-index.ts';

export interface Asking {
  /** Left out: `default`, and, in a list, all namespaces. */
  readonly namespace?: string | undefined;
  /** Kubeconfig of the user who asks; the administrator's if left out. */
  readonly as?: string | undefined;
}

export interface Listing extends Asking {
  /** Selects by labels: `owner=helm,name=web`. */
  readonly labels?: string;
  /** Selects by fields: `reportingComponent=belay`. */
  readonly fields?: string;
}

/**
 * What a test reads, and what it lays out before it begins, over one kept connection for each user. A `kubectl get` takes a tenth of a second
 * of the processor to start, and a test that waits asks twenty times a second. kubectl stays where kubectl is what is tested.
 * An object is named as for kubectl: `deployment/web`.
 */
export interface PlaneApi {
  /** Rejects if the object is not there, or the user may not read it. */
  read<T extends object = KubernetesObject>(object: string, asking?: Asking): Promise<T>;
  /** Undefined if the object is not there. */
  find<T extends object = KubernetesObject>(object: string, asking?: Asking): Promise<T | undefined>;
  /** Objects of several kinds come in the order of the kinds: `deployment,service`. */
  list<T extends object = KubernetesObject>(kinds: string, listing?: Listing): Promise<readonly T[]>;
  /** A field of an object, or of the list of a kind, as `kubectl get -o jsonpath={...}` prints it: `.spec.replicas`; empty if there is none. */
  field(object: string, path: string, asking?: Asking): Promise<string>;
  /** Whatever stands at a path of the API server: `/metrics`. */
  text(path: string, asking?: Asking): Promise<string>;
  create(object: KubernetesObject, asking?: Asking & { readonly dryRun?: boolean }): Promise<void>;
  /** A merge patch, of the object itself or of a part of it such as `status`. */
  patch(object: string, change: object, asking?: Asking & { readonly subresource?: string }): Promise<void>;
  close(): void;
}

interface StoredList {
  readonly apiVersion: string;
  readonly kind: string;
  readonly items: readonly KubernetesObject[];
}

export const createPlaneApi = (adminKubeconfig: string): PlaneApi => {
  const clients = new Map<string, ApiClient>();
  const clientOf = ({ as = adminKubeconfig }: Asking): ApiClient => {
    const client = clients.get(as) ?? createApiClient(as);
    clients.set(as, client);
    return client;
  };

  const resources = createResourceIndex(() => clientOf({}));
  const pathOfKind = async (kind: string, { namespace }: Asking): Promise<string> => {
    const { group, plural, namespaced } = await resources.find(kind);
    return namespaced && namespace !== undefined
      ? `/${group}/namespaces/${namespace}/${plural}`
      : `/${group}/${plural}`;
  };
  const pathOfObject = async (object: string, { namespace = 'default' }: Asking): Promise<string> => {
    const [kind = '', name, ...rest] = object.split('/');
    if (!name || rest.length > 0) throw new Error(`${object} does not name an object, as deployment/web does`);
    return `${await pathOfKind(kind, { namespace })}/${encodeURIComponent(name)}`;
  };

  const read: PlaneApi['read'] = async <T>(object: string, asking: Asking = {}) =>
    withoutManagedFields(
      (await clientOf(asking).send('GET', await pathOfObject(object, asking))).body as KubernetesObject,
    ) as T;

  const listOne = async (kind: string, listing: Listing): Promise<readonly object[]> => {
    const query = new URLSearchParams({
      ...(listing.labels !== undefined && { labelSelector: listing.labels }),
      ...(listing.fields !== undefined && { fieldSelector: listing.fields }),
    });
    const { body } = await clientOf(listing).send('GET', `${await pathOfKind(kind, listing)}?${query}`);
    const { apiVersion, kind: kindOfList, items } = body as StoredList;
    // The items of a list do not repeat what they are.
    return items.map((item) => ({
      apiVersion,
      kind: kindOfList.replace(/List$/, ''),
      ...withoutManagedFields(item),
    }));
  };

  return {
    read,
    find: (object, asking) =>
      read(object, asking).catch((error: unknown) => {
        if (error instanceof RefusedRequest && error.status === 404) return undefined;
        throw error;
      }) as Promise<never>,
    list: async (kinds, listing = {}) =>
      (await Promise.all(kinds.split(',').map((kind) => listOne(kind, listing)))).flat() as never,
    field: async (object, path, asking) =>
      jsonPath(
        object.includes('/') ? await read(object, asking) : { items: await listOne(object, asking ?? {}) },
        path,
      ),
    text: (path, asking = {}) => clientOf(asking).text(path),
    create: async ({ kind = '', ...object }, { dryRun = false, ...asking } = {}) => {
      const namespace = asking.namespace ?? object.metadata?.namespace ?? 'default';
      const path = `${await pathOfKind(kind, { namespace })}${dryRun ? '?dryRun=All' : ''}`;
      await clientOf(asking).send('POST', path, { kind, ...object });
    },
    patch: async (object, change, { subresource, ...asking } = {}) => {
      const path = [await pathOfObject(object, asking), ...(subresource === undefined ? [] : [subresource])].join('/');
      await clientOf(asking).send('PATCH', path, change, 'application/merge-patch+json');
    },
    close: () => {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
};

/** kubectl leaves them out as well. A test that writes back what it has read then writes what kubectl would. */
const withoutManagedFields = (object: KubernetesObject): object => {
  const { metadata, ...rest } = object;
  if (metadata === undefined) return object;
  const { managedFields: _managedFields, ...kept } = metadata;
  return { ...rest, metadata: kept };
};
