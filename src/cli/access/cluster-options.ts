import type { Command } from 'commander';

/** The cluster, the user and the namespace. kubectl and Helm have the same flags for them, under different names. */
export interface ClusterOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
  readonly namespace?: string | undefined;
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly tlsServerName?: string | undefined;
}

interface ClusterFlag {
  readonly option: keyof ClusterOptions;
  readonly kubectl: string;
  /** Helm's name of the flag, if it differs. */
  readonly helm?: string;
  /** Undefined: the flag takes no value. */
  readonly value?: string;
  readonly help: string;
}

/** https://kubernetes.io/docs/reference/kubectl/generated/kubectl/#options, https://helm.sh/docs/helm/helm/#options */
export const CLUSTER_FLAGS: readonly ClusterFlag[] = [
  { option: 'namespace', kubectl: '--namespace', value: '<name>', help: "namespace; the context's unless told" },
  { option: 'kubeconfig', kubectl: '--kubeconfig', value: '<file>', help: 'kubeconfig, instead of $KUBECONFIG' },
  {
    option: 'context',
    kubectl: '--context',
    helm: '--kube-context',
    value: '<name>',
    help: 'context of the kubeconfig',
  },
  { option: 'cluster', kubectl: '--cluster', value: '<name>', help: 'cluster of the kubeconfig' },
  { option: 'user', kubectl: '--user', value: '<name>', help: 'user of the kubeconfig' },
  { option: 'as', kubectl: '--as', helm: '--kube-as-user', value: '<user>', help: 'user to impersonate' },
  { option: 'asGroup', kubectl: '--as-group', helm: '--kube-as-group', value: '<group>', help: 'group to impersonate' },
  { option: 'token', kubectl: '--token', helm: '--kube-token', value: '<token>', help: 'bearer token' },
  {
    option: 'server',
    kubectl: '--server',
    helm: '--kube-apiserver',
    value: '<url>',
    help: 'address of the API server',
  },
  {
    option: 'certificateAuthority',
    kubectl: '--certificate-authority',
    helm: '--kube-ca-file',
    value: '<file>',
    help: 'CA of the API server',
  },
  {
    option: 'tlsServerName',
    kubectl: '--tls-server-name',
    helm: '--kube-tls-server-name',
    value: '<name>',
    help: 'name that its certificate is held against',
  },
  {
    option: 'insecureSkipTlsVerify',
    kubectl: '--insecure-skip-tls-verify',
    helm: '--kube-insecure-skip-tls-verify',
    help: 'do not verify its certificate',
  },
];

const GROUP = 'Cluster:';

/** Adds the cluster flags to a command. Helm's names work too, and are hidden in the help. */
export const addClusterOptions = (command: Command): Command => {
  for (const { option, kubectl, helm, value, help } of CLUSTER_FLAGS) {
    const add = (flag: string, hidden: boolean): void => {
      const short = flag === '--namespace' ? '-n, ' : '';
      const created = command.createOption([`${short}${flag}`, value].filter(Boolean).join(' '), help);
      created.helpGroup(GROUP);
      // Both names set the same value. The last one on the command line counts.
      created.attributeName = () => option;
      if (hidden) created.hideHelp();
      if (option === 'asGroup')
        created.argParser((group: string, before: readonly string[] | undefined) => [...(before ?? []), group]);
      command.addOption(created);
    };
    add(kubectl, false);
    if (helm !== undefined) add(helm, true);
  }
  return command;
};
