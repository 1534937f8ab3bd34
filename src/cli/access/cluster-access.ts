import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { type Api, createApi } from '../../kubernetes/api.ts';
import { openConnection } from '../../kubernetes/connection.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { warn } from '../output/say.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { readKubeconfig } from './kubeconfig.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The cluster that a command talks to, with the credentials of the user. */
export interface ClusterAccess {
  readonly api: Api;
  /** From the flag, the environment or the context; otherwise `default`. */
  readonly namespace: string;
  /** URL of the API server. */
  readonly server: string;
}

/** Reads Helm's environment variables, which Helm also passes to its plugins. https://helm.sh/docs/helm/helm/ */
export const fromHelmEnvironment = (env: Environment): ClusterOptions => {
  const groups = (env.HELM_KUBEASGROUPS ?? '').split(',').filter((group) => group !== '');
  return {
    namespace: env.HELM_NAMESPACE || undefined,
    context: env.HELM_KUBECONTEXT || undefined,
    token: env.HELM_KUBETOKEN || undefined,
    as: env.HELM_KUBEASUSER || undefined,
    asGroup: groups.length > 0 ? groups : undefined,
    server: env.HELM_KUBEAPISERVER || undefined,
    certificateAuthority: env.HELM_KUBECAFILE || undefined,
    insecureSkipTlsVerify: env.HELM_KUBEINSECURE_SKIP_TLS_VERIFY === 'true' || undefined,
    tlsServerName: env.HELM_KUBETLS_SERVER_NAME || undefined,
  };
};

const given = (options: ClusterOptions): ClusterOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

const find = <T extends { readonly name: string }>(what: string, entries: readonly T[], name: string): T => {
  const found = entries.find((entry) => entry.name === name);
  if (found === undefined) throw new Failure(`there is no ${what} "${name}" in the kubeconfig`, EXIT.unreachable);
  return found;
};

interface Chosen {
  readonly cluster: Cluster;
  readonly user: User;
  readonly namespace: string | undefined;
}

const choose = (config: KubeConfig | undefined, options: ClusterOptions): Chosen => {
  const wanted = options.context ?? config?.currentContext;
  const context = wanted ? find('context', config?.contexts ?? [], wanted) : undefined;
  const clusterName = options.cluster ?? context?.cluster;
  const userName = options.user ?? context?.user;
  const stored = clusterName ? find('cluster', config?.clusters ?? [], clusterName) : undefined;
  const user = userName ? find('user', config?.users ?? [], userName) : undefined;
  const server = options.server ?? stored?.server;
  if (!server) {
    throw new Failure(
      'no cluster to talk to: neither a kubeconfig (--kubeconfig, $KUBECONFIG, ~/.kube/config) with a current context nor a service account was found',
      EXIT.unreachable,
    );
  }
  const ca = options.certificateAuthority;
  return {
    cluster: {
      name: 'cluster',
      skipTLSVerify: false,
      ...stored,
      server,
      ...(ca === undefined ? {} : { caFile: ca, caData: undefined }),
      // `kubectl proxy` speaks HTTP. client-node accepts HTTP only with skipTLSVerify.
      ...((options.insecureSkipTlsVerify || server.startsWith('http:')) && { skipTLSVerify: true }),
      ...(options.tlsServerName !== undefined && { tlsServerName: options.tlsServerName }),
    } as Cluster,
    user: {
      name: 'user',
      ...user,
      ...(options.token !== undefined && { token: options.token, exec: undefined, authProvider: undefined }),
      ...(options.as !== undefined && { impersonateUser: options.as }),
    },
    namespace: context?.namespace,
  };
};

/** Tells a credential plugin the version of its answer. client-node does not do so, and some plugins refuse to run without it. */
const exportExecInfo = ({ exec }: User): void => {
  const { apiVersion } = (exec ?? {}) as { apiVersion?: string };
  if (apiVersion === undefined) return;
  const info = { kind: 'ExecCredential', apiVersion, spec: { interactive: false } };
  process.env.KUBERNETES_EXEC_INFO ??= JSON.stringify(info);
};

/** Runs the credential plugin, if there is one: once, and here, so that its failure is shown as one. */
const signIn = async (config: KubeConfig): Promise<{ cert: string; key: string } | undefined> => {
  const user = config.getCurrentUser();
  if (user === null || (!user.exec && !user.authProvider)) return undefined;
  exportExecInfo(user);
  const options: { cert?: unknown; key?: unknown } = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    const said = (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1);
    throw new Failure(
      `no credentials for the cluster: ${said || 'the credential plugin failed'}`,
      EXIT.unreachable,
      error,
    );
  }
  const { cert, key } = options;
  return user.exec && typeof cert === 'string' && typeof key === 'string' ? { cert, key } : undefined;
};

/** Sends each group as a header of its own. fetch would join headers of the same name into one. */
const impersonating =
  (groups: readonly string[]) =>
  (dispatch: Dispatcher['dispatch']): Dispatcher['dispatch'] =>
  (options, handler) =>
    dispatch(
      { ...options, headers: { ...(options.headers as Record<string, string>), 'impersonate-group': [...groups] } },
      handler,
    );

/** Shows each warning once: a command that patches every revision of a release gets the same warning for each. */
const warnOnce = (): ((text: string) => void) => {
  const told = new Set<string>();
  return (text) => {
    if (!told.has(text)) warn(text);
    told.add(text);
  };
};

/**
 * Finds the cluster and signs in. Throws a Failure when there is no cluster to talk to. No request is sent yet, so the cluster may still
 * not answer. Warnings of the API server go to stderr by default.
 */
export const openCluster = async (
  options: ClusterOptions,
  { by }: Pick<Invocation, 'by'>,
  env: Environment = process.env,
  onWarning: (text: string) => void = warnOnce(),
): Promise<ClusterAccess> => {
  // Helm's environment means nothing to users of kubectl.
  const wanted = { ...(by === 'kubectl' ? {} : fromHelmEnvironment(env)), ...given(options) };
  const chosen = choose(readKubeconfig(wanted.kubeconfig, env), wanted);
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [chosen.cluster],
    users: [chosen.user],
    contexts: [{ name: 'belay', cluster: chosen.cluster.name, user: chosen.user.name }],
    currentContext: 'belay',
  });
  const certificate = await signIn(config);
  const groups = wanted.asGroup ?? [];
  const open = (): ReturnType<typeof openConnection> => {
    try {
      return openConnection(config, chosen.cluster, Date.now, { certificate });
    } catch (error) {
      throw new Failure(`no credentials for the cluster: ${(error as Error).message}`, EXIT.unreachable, error);
    }
  };
  const connection = open();
  const dispatcher = groups.length === 0 ? connection.dispatcher : connection.dispatcher.compose(impersonating(groups));
  return {
    api: createApi({ ...connection, dispatcher }, onWarning),
    namespace: wanted.namespace ?? chosen.namespace ?? 'default',
    server: chosen.cluster.server,
  };
};
