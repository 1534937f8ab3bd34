/** Tells the API server whom to trust: writes the caBundle into Belay's two webhook configurations. */
import type { Logger } from 'pino';
import { type Api, isConflict, isNotFound, pathOf } from '../cluster/api.ts';

export const CONFIGURATION_NAME = 'belay';

export const CONFIGURATION_RESOURCES = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;
export type ConfigurationResource = (typeof CONFIGURATION_RESOURCES)[number];

export const configurationsPath = (resource: ConfigurationResource): string =>
  pathOf('apis', 'admissionregistration.k8s.io', 'v1', resource);

export interface InjectOptions {
  readonly api: Api;
  /** PEM. */
  readonly ca: string;
  readonly log: Logger;
  readonly signal?: AbortSignal;
}

interface Configuration {
  readonly metadata: { readonly resourceVersion: string };
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

const MAX_ATTEMPTS = 5;

/** Resolves to whether every webhook of the configuration carries the caBundle now; false where the configuration does not exist. */
export const injectCaBundle = async (resource: ConfigurationResource, options: InjectOptions): Promise<boolean> => {
  const { api, log } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const path = `${configurationsPath(resource)}/${CONFIGURATION_NAME}`;
  const caBundle = Buffer.from(options.ca, 'utf8').toString('base64');

  let lost: unknown;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    try {
      const { metadata, webhooks = [] } = await api.request<Configuration>({ path, ...signal });
      const stale = [...webhooks.entries()].filter(([, webhook]) => webhook.clientConfig.caBundle !== caBundle);
      if (stale.length === 0) return webhooks.length > 0;
      await api.request({
        method: 'PATCH',
        path,
        contentType: 'application/json-patch+json',
        // Webhooks are addressed by their place in the list. Naming the resourceVersion that was read makes the API server answer
        // Conflict when the list has changed meanwhile.
        body: [
          { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
          ...stale.map(([index]) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle })),
        ],
        ...signal,
      });
      log.info({ resource, webhooks: stale.map(([, webhook]) => webhook.name) }, 'injected the caBundle');
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      if (!isConflict(error)) throw error;
      lost = error;
    }
  }
  throw lost;
};
