import type { ApiClient } from './api-client.ts';

export interface Resource {
  /** `apis/apps/v1` */
  readonly group: string;
  /** `deployments` */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** Knows where the API server keeps what. */
export interface ResourceIndex {
  /** By a word that kubectl takes for it: `deployment`, `deployments`, `deploy`, `Deployment`, `deployments.apps`. */
  find(word: string): Promise<Resource>;
}

/** https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery */
const DISCOVERY = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface Discovery {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly singularResource: string;
        readonly shortNames?: readonly string[];
        readonly scope: 'Namespaced' | 'Cluster';
        readonly verbs: readonly string[];
        readonly responseKind?: { readonly kind: string };
      }[];
    }[];
  }[];
}

export const createResourceIndex = (client: () => ApiClient): ResourceIndex => {
  let known: ReadonlyMap<string, Resource> = new Map();
  return {
    find: async (wanted) => {
      const word = wanted.toLowerCase();
      // A kind may have come since: a CRD, or a new API server.
      if (!known.has(word)) known = await discover(client());
      const resource = known.get(word);
      if (resource === undefined) throw new Error(`the API server has no resource ${wanted}`);
      return resource;
    },
  };
};

/** Of two resources with one name the first counts, as for kubectl: the API server puts its own, and the newest version, first. */
const discover = async (client: ApiClient): Promise<ReadonlyMap<string, Resource>> => {
  const known = new Map<string, Resource>();
  for (const root of ['api', 'apis']) {
    const { items } = JSON.parse(await client.text(`/${root}`, DISCOVERY)) as Discovery;
    for (const { metadata, versions } of items) {
      for (const { version, resources = [] } of versions) {
        for (const { resource: plural, singularResource, shortNames = [], scope, verbs, responseKind } of resources) {
          const kind = responseKind?.kind ?? '';
          const name = metadata?.name ?? '';
          const group = [root, ...(name === '' ? [] : [name]), version].join('/');
          const resource = { group, plural, kind, namespaced: scope === 'Namespaced', verbs };
          const words = [plural, singularResource, kind.toLowerCase(), ...shortNames, `${plural}.${name}`];
          for (const word of [...words, `${plural}.${version}.${name}`])
            if (!known.has(word)) known.set(word, resource);
        }
      }
    }
  }
  return known;
};
