import { EXIT, Failure } from '../failure.ts';
import { type FlagTable, flagsOf, GLOBAL_FLAGS, type HelmCommand, mergeTables } from './helm-flags.ts';
import { type Scanned, scanNext } from './scan-arguments.ts';

export type Flag = Extract<Scanned, { kind: 'flag' }>;

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

/** `helm secrets upgrade`, `helm vault secrets upgrade`: after more words, `upgrade` is an argument of the plugin. */
const MAX_PLUGIN_WORDS = 2;

const isOwnFlag = (name: string): boolean => OWN_FLAGS.values.has(name) || OWN_FLAGS.switches.has(name);

/** A command line that makes no sense. */
export const usage = (message: string): Failure => new Failure(message, EXIT.usage);

export interface Split {
  readonly kind: HelmCommand | 'any';
  readonly plugin: readonly string[];
  readonly own: readonly Flag[];
  readonly flags: readonly Flag[];
  /** The words after the command. */
  readonly words: readonly string[];
  readonly run: readonly string[];
}

/** Separates words from flags. One pass finds the command and the flags, because the command decides which flags take a value. */
export const split = (args: readonly string[], learnt: FlagTable): Split => {
  let kind: Split['kind'] | undefined;
  let table = mergeTables(OWN_FLAGS, GLOBAL_FLAGS, learnt);
  const plugin: string[] = [];
  const own: Flag[] = [];
  const flags: Flag[] = [];
  const words: string[] = [];
  const run: string[] = [];
  for (let at = 0; at < args.length; ) {
    if (args[at] === '--') {
      // For `any` it ends the flags of `lock`. Otherwise it is passed to Helm.
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
    // Arguments are passed on as they are: `-foo` may be one flag to a plugin and three to Helm.
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
