import { Command, type Option } from 'commander';
import { addClusterOptions, type ClusterOptions } from '../access/cluster-options.ts';

/** The part of the command line that is being typed. */
export type Place =
  | { readonly at: 'command' }
  | { readonly at: 'flag'; readonly options: readonly Option[] }
  | { readonly at: 'value'; readonly option: Option; readonly typed: string; readonly cluster: ClusterOptions }
  | {
      readonly at: 'argument';
      readonly command: Command;
      /** The arguments before it. */
      readonly words: readonly string[];
      readonly cluster: ClusterOptions;
    }
  /** Inside of Helm's command line: its words, the last of which is being typed, and the cluster flags before them. */
  | { readonly at: 'helm'; readonly words: readonly string[]; readonly cluster: readonly string[] }
  | { readonly at: 'nowhere' };

/** Flags that may also stand before the command. */
const CLUSTER_OPTIONS = addClusterOptions(new Command()).options;

const isFlag = (word: string): boolean => word.startsWith('-') && word !== '-';

const find = (options: readonly Option[], flag: string): Option | undefined =>
  options.find(({ short, long }) => flag === short || flag === long);

/** `-nshop` */
const findJoined = (options: readonly Option[], word: string): Option | undefined =>
  word.startsWith('--') || word.length <= 2
    ? undefined
    : options.find(({ short, required }) => required && short === word.slice(0, 2));

/** Finds out what the last word is, as commander will read it. `wraps` says whether a word begins Helm's command line. */
export const findPlace = (
  program: Command,
  words: readonly string[],
  wraps: (word: string) => 'from here' | 'from the next' | undefined,
): Place => {
  const typed = words.at(-1) ?? '';
  const given: Record<string, unknown> = {};
  const passed: string[] = [];
  const plain: string[] = [];
  let command: Command | undefined;
  let pending: Option | undefined;
  let onlyWords = false;

  const note = (option: Option, value: unknown): void => {
    const name = option.attributeName();
    given[name] = name === 'asGroup' ? [...((given[name] as string[] | undefined) ?? []), value] : value;
  };
  const options = (): readonly Option[] => command?.options ?? CLUSTER_OPTIONS;

  for (const [at, word] of words.slice(0, -1).entries()) {
    if (pending !== undefined) {
      note(pending, word);
      passed.push(word);
      pending = undefined;
    } else if (word === '--' && !onlyWords) {
      onlyWords = true;
    } else if (isFlag(word) && !onlyWords) {
      const equals = word.indexOf('=');
      const joined = findJoined(options(), word);
      const option = joined ?? find(options(), equals < 0 ? word : word.slice(0, equals));
      passed.push(word);
      if (option === undefined) continue;
      if (joined !== undefined) note(option, word.slice(2));
      else if (equals >= 0) note(option, word.slice(equals + 1));
      else if (option.required) pending = option;
      else note(option, true);
    } else if (command === undefined) {
      const wrapped = wraps(word);
      if (wrapped !== undefined)
        return { at: 'helm', words: words.slice(wrapped === 'from here' ? at : at + 1), cluster: passed };
      command = program.commands.find((one) => one.name() === word);
      if (command === undefined) return word === 'help' ? { at: 'command' } : { at: 'nowhere' };
    } else {
      plain.push(word);
    }
  }

  const cluster = given as ClusterOptions;
  if (pending !== undefined) return { at: 'value', option: pending, typed, cluster };
  if (isFlag(typed) && !onlyWords) {
    const equals = typed.indexOf('=');
    if (equals < 0) return { at: 'flag', options: options() };
    const option = find(options(), typed.slice(0, equals));
    return option?.required ? { at: 'value', option, typed: typed.slice(equals + 1), cluster } : { at: 'nowhere' };
  }
  if (typed === '-' && !onlyWords) return { at: 'flag', options: options() };
  if (command === undefined) return { at: 'command' };
  return { at: 'argument', command, words: plain, cluster };
};
