import { parseDuration } from '../../text/duration.ts';
import { EXIT, Failure } from '../failure.ts';
import { type FlagTable, flagsOf, GLOBAL_FLAGS, type HelmCommand, mergeTables } from './helm-flags.ts';
import { isOn, type Scanned, scanNext } from './scan-arguments.ts';

/** What `lock` itself is told; none of it reaches Helm. */
export interface LockOptions {
  readonly lockTimeoutMs: number;
  readonly recover: boolean;
  readonly onlyNewer: boolean;
  readonly skipLocked: boolean;
}

type Flag = Extract<Scanned, { kind: 'flag' }>;

/** A command line, read as Helm reads it. */
export interface LockedCommand {
  readonly options: LockOptions;
  readonly kind: HelmCommand | 'any';
  /** In the order in which they are locked, so that two commands never wait for each other. Empty: there is nothing to lock. */
  readonly releases: readonly string[];
  /** Why there is nothing to lock. */
  readonly unlocked?: 'help' | 'dry-run' | 'new name' | 'incomplete';
  /** Arguments for Helm, in their order; of `any`, the program and its arguments. */
  readonly run: readonly string[];
  /** Words before the command, of a plugin that wraps it: `secrets`. */
  readonly plugin: readonly string[];
  readonly chart: string | undefined;
  readonly flags: readonly Flag[];
  /** Flags that no table knows, and that were not given their value by `=`. */
  readonly unknown: readonly string[];
}

const OWN_FLAGS: FlagTable = {
  values: new Set(['--lock-timeout']),
  switches: new Set(['--no-recover', '--only-newer', '--skip-locked']),
};

/** Helm's own aliases (cmd/helm/uninstall.go). */
const COMMANDS: Readonly<Record<string, HelmCommand>> = {
  install: 'install',
  upgrade: 'upgrade',
  rollback: 'rollback',
  uninstall: 'uninstall',
  del: 'uninstall',
  delete: 'uninstall',
  un: 'uninstall',
};

const DEFAULT_LOCK_TIMEOUT_MS = 600_000;

/** `helm secrets upgrade`, `helm vault secrets upgrade`: further back a word of that name is some plugin's own argument. */
const MAX_PLUGIN_WORDS = 2;

const isOwnFlag = (name: string): boolean => OWN_FLAGS.values.has(name) || OWN_FLAGS.switches.has(name);

const usage = (message: string): Failure => new Failure(message, EXIT.usage);

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

interface Split {
  readonly kind: HelmCommand | 'any';
  readonly plugin: readonly string[];
  readonly own: readonly Flag[];
  readonly flags: readonly Flag[];
  /** Words after the command. */
  readonly words: readonly string[];
  readonly run: readonly string[];
}

/** Tells words from flags. What a flag takes is known only once the command is, so both come about in one pass. */
const split = (args: readonly string[], learnt: FlagTable): Split => {
  let kind: Split['kind'] | undefined;
  let table = mergeTables(OWN_FLAGS, GLOBAL_FLAGS, learnt);
  const plugin: string[] = [];
  const own: Flag[] = [];
  const flags: Flag[] = [];
  const words: string[] = [];
  const run: string[] = [];
  for (let at = 0; at < args.length; ) {
    if (args[at] === '--') {
      // Of `any` it only ends our own flags; Helm is to see it.
      const rest = args.slice(kind === 'any' ? at + 1 : at);
      run.push(...rest);
      if (kind !== 'any') words.push(...rest.slice(1));
      break;
    }
    if (kind === 'any' && words.length === 1 && !args[at]?.startsWith('-')) {
      run.push(...args.slice(at));
      break;
    }
    const { found, taken } = scanNext(args, at, table);
    const isOwn = found.some((one) => one.kind === 'flag' && isOwnFlag(one.name));
    // Verbatim: `-foo` may be one flag to a plugin and three to Helm.
    const passed = isOwn ? [] : args.slice(at, at + taken);
    at += taken;
    for (const one of found) {
      if (one.kind === 'flag') {
        (isOwn ? own : flags).push(one);
        continue;
      }
      if (kind === undefined && one.text === 'any' && plugin.length === 0) {
        kind = 'any';
        table = mergeTables(OWN_FLAGS, GLOBAL_FLAGS);
        continue;
      }
      const command = kind === undefined ? COMMANDS[one.text] : undefined;
      if (kind !== undefined) words.push(one.text);
      else if (command !== undefined) {
        kind = command;
        table = mergeTables(OWN_FLAGS, flagsOf(command), learnt);
      } else {
        plugin.push(one.text);
      }
    }
    if (kind !== 'any') run.push(...passed);
    if (plugin.length > MAX_PLUGIN_WORDS) break;
  }
  if (kind === undefined) {
    const what =
      plugin.length === 0 ? 'there is no command' : `"${plugin.join(' ')}" changes no release that can be locked`;
    throw usage(`${what}: lock upgrade|install|rollback|uninstall|any RELEASE …`);
  }
  return { kind, plugin, own, flags, words, run };
};

const has = (flags: readonly Flag[], ...names: readonly string[]): boolean => {
  const last = flags.findLast(({ name }) => names.includes(name));
  return last !== undefined && isOn(last.value);
};

/** `--dry-run`, `--dry-run=server` and the like; `none` and `false` are none. The last one counts. */
const isDryRun = (flags: readonly Flag[]): boolean => {
  const last = flags.findLast(({ name }) => name === '--dry-run');
  return last !== undefined && !['none', '0', 'f', 'F', 'false', 'FALSE', 'False'].includes(last.value ?? 'true');
};

/** Helm's own rules for its words (cmd/helm/install.go: NameAndChart, require.ExactArgs and so on). */
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

/** Throws a Failure (usage) where no release can be found. `learnt`: flags that a `--help` told of. */
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

/** Whether the command creates the release where it is missing. */
export const mayInstall = ({ kind, flags }: LockedCommand): boolean =>
  kind === 'install' || (kind === 'upgrade' && has(flags, '-i', '--install'));

export const isFlagOn = ({ flags }: LockedCommand, name: string): boolean => has(flags, name);

/** The words of those flags of the command line that are in a table, to be handed on to another command. */
export const pickFlags = ({ flags }: LockedCommand, table: FlagTable): readonly string[] =>
  flags.flatMap(({ name, words }) => (table.values.has(name) || table.switches.has(name) ? words : []));

/** The value of the last of these flags. */
export const lastValueOf = ({ flags }: LockedCommand, ...names: readonly string[]): string | undefined =>
  flags.findLast(({ name }) => names.includes(name))?.value;

/** All values of a flag that may be repeated. */
export const allValuesOf = ({ flags }: LockedCommand, name: string): readonly string[] =>
  flags.flatMap((flag) => (flag.name === name && flag.value !== undefined ? [flag.value] : []));
