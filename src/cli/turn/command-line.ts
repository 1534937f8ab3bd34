import type { ClusterOptions } from '../access/cluster-options.ts';
import { readHelp } from './helm-flags.ts';
import { allValuesOf, isFlagOn, type LockedCommand, lastValueOf, parseCommandLine } from './parse-command-line.ts';
import { runProgram } from './run-program.ts';

/** The Helm to run. Helm sets HELM_BIN for its plugins, and a user may set it too. */
export const helmProgram = (env: NodeJS.ProcessEnv): string => env.HELM_BIN || 'helm';

/** Reads a command line. An unknown flag is looked up in the `--help` of the Helm to run, which may be a newer version. */
export const readCommandLine = async (args: readonly string[], helm: string): Promise<LockedCommand> => {
  const command = parseCommandLine(args);
  if (command.unknown.length === 0 || command.kind === 'any') return command;
  const { stdout } = await runProgram({ program: helm, args: [command.kind, '--help'], output: 'captured' });
  return parseCommandLine(args, readHelp(stdout));
};

/** The cluster that Helm will talk to, by its flags. */
export const clusterOf = (command: LockedCommand): ClusterOptions => {
  const groups = allValuesOf(command, '--kube-as-group');
  return {
    namespace: lastValueOf(command, '-n', '--namespace'),
    kubeconfig: lastValueOf(command, '--kubeconfig'),
    context: lastValueOf(command, '--kube-context'),
    as: lastValueOf(command, '--kube-as-user'),
    asGroup: groups.length > 0 ? groups : undefined,
    token: lastValueOf(command, '--kube-token'),
    server: lastValueOf(command, '--kube-apiserver'),
    certificateAuthority: lastValueOf(command, '--kube-ca-file'),
    tlsServerName: lastValueOf(command, '--kube-tls-server-name'),
    insecureSkipTlsVerify: isFlagOn(command, '--kube-insecure-skip-tls-verify') || undefined,
  };
};

/** Passes the cluster and the namespace to the command of `any`, by Helm's own variables. */
export const environmentOf = (command: LockedCommand): Record<string, string> => {
  if (command.kind !== 'any') return {};
  const told = {
    HELM_NAMESPACE: lastValueOf(command, '-n', '--namespace'),
    HELM_KUBECONTEXT: lastValueOf(command, '--kube-context'),
    KUBECONFIG: lastValueOf(command, '--kubeconfig'),
  };
  return Object.fromEntries(
    Object.entries(told).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
};
