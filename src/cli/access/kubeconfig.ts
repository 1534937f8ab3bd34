import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { EXIT, Failure } from '../failure.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

const load = (file: string): KubeConfig => {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (error) {
    throw new Failure(`kubeconfig ${file} cannot be read: ${firstLine(error)}`, EXIT.unreachable, error);
  }
  return config;
};

const named = <T extends { readonly name: string }>(lists: readonly (readonly T[])[]): T[] => [
  // The first entry of a name counts, as in kubectl.
  ...new Map(
    lists
      .flat()
      .reverse()
      .map((entry) => [entry.name, entry]),
  ).values(),
];

const merge = (configs: readonly KubeConfig[]): KubeConfig => {
  const merged = new KubeConfig();
  merged.loadFromOptions({
    clusters: named(configs.map(({ clusters }) => clusters ?? [])),
    users: named(configs.map(({ users }) => users ?? [])),
    contexts: named(configs.map(({ contexts }) => contexts ?? [])),
    currentContext: configs.map(({ currentContext }) => currentContext).find(Boolean) ?? '',
  });
  return merged;
};

/**
 * Reads the configuration as kubectl does: the named file, else the files of KUBECONFIG (missing files are left out), else the user's own
 * file, else the service account of the pod. Undefined: there is no configuration.
 */
export const readKubeconfig = (file: string | undefined, env: Environment): KubeConfig | undefined => {
  if (file !== undefined) return load(file);
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  const files = (listed.length > 0 ? listed : [join(env.HOME || homedir(), '.kube', 'config')]).filter(existsSync);
  if (files.length > 0) return merge(files.map(load));
  if (!env.KUBERNETES_SERVICE_HOST || !existsSync(SERVICE_ACCOUNT_TOKEN)) return undefined;
  const config = new KubeConfig();
  config.loadFromCluster();
  return config;
};
