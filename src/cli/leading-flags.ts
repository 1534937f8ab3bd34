import { CLUSTER_FLAGS } from './access/cluster-options.ts';

const VALUE_FLAGS: ReadonlySet<string> = new Set(
  CLUSTER_FLAGS.flatMap(({ kubectl, helm, value }) => (value === undefined ? [] : [kubectl, helm])).filter(
    (flag) => flag !== undefined,
  ),
).add('-n');

const SWITCHES: ReadonlySet<string> = new Set(
  CLUSTER_FLAGS.flatMap(({ kubectl, helm, value }) => (value === undefined ? [kubectl, helm] : [])).filter(
    (flag) => flag !== undefined,
  ),
);

const lengthOf = (flag: string): number => {
  const name = flag.split('=')[0] ?? '';
  if (SWITCHES.has(name)) return 1;
  if (VALUE_FLAGS.has(name)) return flag === name ? 2 : 1;
  return /^-n./.test(flag) ? 1 : 0;
};

/** `-n shop status` -> `status -n shop`: kubectl and Helm also take the cluster flags before the command. */
export const moveLeadingFlags = (args: readonly string[]): readonly string[] => {
  let at = 0;
  while (at < args.length) {
    const length = lengthOf(args[at] ?? '');
    if (length === 0) break;
    at += length;
  }
  const command = args[at];
  if (at === 0 || command === undefined || command.startsWith('-')) return args;
  return [command, ...args.slice(0, at), ...args.slice(at + 1)];
};
