import { parseDuration } from '../../text/duration.ts';
import type { FlagTable, HelmCommand } from './helm-flags.ts';
import { isOn } from './scan-arguments.ts';
import { type Flag, type Split, split, usage } from './split-command-line.ts';

/** The flags of `lock` itself, which are not passed to Helm. */
export interface LockOptions {
  readonly lockTimeoutMs: number;
  readonly recover: boolean;
  readonly onlyNewer: boolean;
  readonly skipLocked: boolean;
}

/** A command line of `lock`, read as Helm reads it. */
export interface LockedCommand {
  readonly options: LockOptions;
  readonly kind: HelmCommand | 'any';
  /** In the order of locking, which is sorted so that two commands never wait for each other. Empty: there is nothing to lock. */
  readonly releases: readonly string[];
  /** Why there is nothing to lock. */
  readonly unlocked?: 'help' | 'dry-run' | 'new name' | 'incomplete';
  /** The arguments for Helm; for `any`, the program and its arguments. */
  readonly run: readonly string[];
  /** The words of a plugin before the command: `secrets`. */
  readonly plugin: readonly string[];
  readonly chart: string | undefined;
  readonly flags: readonly Flag[];
  /** Flags that are in no table and have no value joined by `=`. */
  readonly unknown: readonly string[];
}

const DEFAULT_LOCK_TIMEOUT_MS = 600_000;

const readOptions = (own: readonly Flag[]): LockOptions => {
  let lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS;
  const on = new Set<string>();
  for (const { name, value } of own) {
    if (name === '--lock-timeout') {
      const ms = parseDuration(value ?? '');
      if (ms === undefined) throw usage('--lock-timeout takes a duration such as 90s, 10m or 1h30m');
      lockTimeoutMs = ms;
    } else if (isOn(value)) on.add(name);
    else on.delete(name);
  }
  return {
    lockTimeoutMs,
    recover: !on.has('--no-recover'),
    onlyNewer: on.has('--only-newer'),
    skipLocked: on.has('--skip-locked'),
  };
};

const has = (flags: readonly Flag[], ...names: readonly string[]): boolean => {
  const last = flags.findLast(({ name }) => names.includes(name));
  return last !== undefined && isOn(last.value);
};

/** `--dry-run`, `--dry-run=server` and so on. `none` and `false` mean no dry run. The last flag counts. */
const isDryRun = (flags: readonly Flag[]): boolean => {
  const last = flags.findLast(({ name }) => name === '--dry-run');
  return last !== undefined && !['none', '0', 'f', 'F', 'false', 'FALSE', 'False'].includes(last.value ?? 'true');
};

/** Finds the releases and the chart by Helm's own rules (cmd/helm/install.go: NameAndChart, require.ExactArgs and so on). */
const findReleases = ({ kind, words, flags }: Split): Pick<LockedCommand, 'releases' | 'unlocked' | 'chart'> => {
  const named = (count: number, chart?: string): Pick<LockedCommand, 'releases' | 'unlocked' | 'chart'> => ({
    releases: [...new Set(words.slice(0, count))].sort(),
    chart,
  });
  if (has(flags, '-h', '--help')) return { releases: [], unlocked: 'help', chart: undefined };
  if (kind !== 'any' && isDryRun(flags)) return { releases: [], unlocked: 'dry-run', chart: undefined };
  if (kind === 'install') {
    const isNew = has(flags, '-g', '--generate-name') || flags.some(({ name }) => name === '--name-template');
    if (isNew && words.length === 1) return { releases: [], unlocked: 'new name', chart: words[0] };
  }
  if (words.length === 0) throw usage(`which release is to be locked? lock ${kind} RELEASE …`);
  if (kind === 'uninstall') return named(words.length);
  if (kind === 'rollback' || kind === 'any') return named(1);
  if (words.length !== 2) return { releases: [], unlocked: 'incomplete', chart: undefined };
  return named(1, words[1]);
};

/** Throws a Failure (usage) when no release can be found. `learnt` are flags from the `--help` of Helm. */
export const parseCommandLine = (
  args: readonly string[],
  learnt: FlagTable = { values: new Set(), switches: new Set() },
): LockedCommand => {
  const parts = split(args, learnt);
  const options = readOptions(parts.own);
  const { kind, plugin, flags, run } = parts;
  if (options.onlyNewer && kind !== 'install' && kind !== 'upgrade')
    throw usage(`--only-newer compares charts, and ${kind} brings none`);
  const found = findReleases(parts);
  if (kind === 'any' && found.unlocked === undefined && run.length === 0)
    throw usage('which command is to be run? lock any RELEASE -- COMMAND …');
  const unknown = flags.filter(({ known, value }) => !known && value === undefined).map(({ name }) => name);
  return { options, kind, plugin, flags, run, unknown, ...found };
};

/** Whether the command creates a missing release. */
export const mayInstall = ({ kind, flags }: LockedCommand): boolean =>
  kind === 'install' || (kind === 'upgrade' && has(flags, '-i', '--install'));

export const isFlagOn = ({ flags }: LockedCommand, name: string): boolean => has(flags, name);

/** The words of the flags that are in the table, for another command. */
export const pickFlags = ({ flags }: LockedCommand, table: FlagTable): readonly string[] =>
  flags.flatMap(({ name, words }) => (table.values.has(name) || table.switches.has(name) ? words : []));

/** The value of the last of these flags. */
export const lastValueOf = ({ flags }: LockedCommand, ...names: readonly string[]): string | undefined =>
  flags.findLast(({ name }) => names.includes(name))?.value;

/** All values of a flag that may be repeated. */
export const allValuesOf = ({ flags }: LockedCommand, name: string): readonly string[] =>
  flags.flatMap((flag) => (flag.name === name && flag.value !== undefined ? [flag.value] : []));
