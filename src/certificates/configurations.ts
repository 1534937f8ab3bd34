/** Belay's two webhook configurations. Their caBundles tell the API server which authorities to trust. */
import type { Logger } from 'pino';
import { type Api, isNotFound, pathOf } from '../kubernetes/api.ts';

export const CONFIGURATION_NAME = 'belay';

export const CONFIGURATION_RESOURCES = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;
export type ConfigurationResource = (typeof CONFIGURATION_RESOURCES)[number];

export const configurationsPath = (resource: ConfigurationResource): string =>
  pathOf('apis', 'admissionregistration.k8s.io', 'v1', resource);

/** One configuration as it was read. */
export interface SeenConfiguration {
  readonly resource: ConfigurationResource;
  readonly resourceVersion: string;
  readonly webhooks: readonly {
    readonly name: string;
    /** PEM. Empty where there is none. */
    readonly caBundle: string;
  }[];
}

export interface Configurations {
  /** Both configurations. Undefined for one that does not exist. */
  read(signal?: AbortSignal): Promise<readonly (SeenConfiguration | undefined)[]>;
  /**
   * Resolves to the configuration with the caBundle (PEM) in every webhook. Rejects with a conflict (see `isConflict`) when the configuration has
   * changed since it was seen.
   */
  inject(seen: SeenConfiguration, ca: string, signal?: AbortSignal): Promise<SeenConfiguration>;
}

interface Configuration {
  readonly metadata: { readonly resourceVersion: string };
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

const seenOf = (resource: ConfigurationResource, { metadata, webhooks = [] }: Configuration): SeenConfiguration => ({
  resource,
  resourceVersion: metadata.resourceVersion,
  webhooks: webhooks.map(({ name, clientConfig }) => ({
    name,
    caBundle: Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('utf8'),
  })),
});

/** The caBundles of all webhooks. Empty where a configuration is missing or has no webhooks. */
export const bundlesOf = (seen: readonly (SeenConfiguration | undefined)[]): readonly string[] =>
  seen.every((configuration) => configuration !== undefined && configuration.webhooks.length > 0)
    ? seen.flatMap((configuration) => configuration?.webhooks.map(({ caBundle }) => caBundle) ?? [])
    : [];

export const createConfigurations = (api: Api, log: Logger): Configurations => {
  const pathTo = (resource: ConfigurationResource): string => `${configurationsPath(resource)}/${CONFIGURATION_NAME}`;
  const until = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });
  return {
    read: (signal) =>
      Promise.all(
        CONFIGURATION_RESOURCES.map(async (resource) => {
          try {
            return seenOf(resource, await api.request<Configuration>({ path: pathTo(resource), ...until(signal) }));
          } catch (error) {
            if (isNotFound(error)) return undefined;
            throw error;
          }
        }),
      ),
    async inject(seen, ca, signal) {
      const { resource, resourceVersion, webhooks } = seen;
      const stale = [...webhooks.entries()].filter(([, { caBundle }]) => caBundle !== ca);
      if (stale.length === 0) return seen;
      const value = Buffer.from(ca, 'utf8').toString('base64');
      const injected = await api.request<Configuration>({
        method: 'PATCH',
        path: pathTo(resource),
        contentType: 'application/json-patch+json',
        // The patch names webhooks by their place in the list. With the resourceVersion that was read, the API server answers Conflict when the
        // list, or a caBundle, has changed meanwhile.
        body: [
          { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
          ...stale.map(([index]) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value })),
        ],
        ...until(signal),
      });
      log.info({ resource, webhooks: stale.map(([, { name }]) => name) }, 'injected the caBundle');
      return seenOf(resource, injected);
    },
  };
};
