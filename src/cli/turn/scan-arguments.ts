import type { FlagTable } from './helm-flags.ts';

/** One argument, read as Helm's flag parser (spf13/pflag) reads it, and its words on the command line. */
export type Scanned =
  | { readonly kind: 'word'; readonly text: string; readonly words: readonly string[] }
  | {
      readonly kind: 'flag';
      /** `--set` or `-f`. */
      readonly name: string;
      /** Undefined: the flag has no value. */
      readonly value: string | undefined;
      readonly words: readonly string[];
      readonly known: boolean;
    };

interface Step {
  readonly found: readonly Scanned[];
  /** How many arguments were read. */
  readonly taken: number;
}

const scanLong = (args: readonly string[], at: number, table: FlagTable): Step => {
  const argument = args[at] ?? '';
  const equals = argument.indexOf('=');
  const name = equals < 0 ? argument : argument.slice(0, equals);
  const known = table.values.has(name) || table.switches.has(name);
  if (equals >= 0) {
    return { found: [{ kind: 'flag', name, value: argument.slice(equals + 1), words: [argument], known }], taken: 1 };
  }
  if (!table.values.has(name)) {
    return { found: [{ kind: 'flag', name, value: undefined, words: [argument], known }], taken: 1 };
  }
  const words = args.slice(at, at + 2);
  return { found: [{ kind: 'flag', name, value: words[1], words, known }], taken: words.length };
};

/** `-if values.yaml`, `-nshop`, `-n=shop`: several switches in one word. The last letter may be a flag with a value. */
const scanShort = (args: readonly string[], at: number, table: FlagTable): Step => {
  const argument = args[at] ?? '';
  const letters = argument.slice(1);
  const found: Scanned[] = [];
  for (let i = 0; i < letters.length; i += 1) {
    const name = `-${letters[i]}`;
    const rest = letters.slice(i + 1);
    const known = table.values.has(name) || table.switches.has(name);
    if (rest.startsWith('=') || (table.values.has(name) && rest !== '')) {
      const value = rest.replace(/^=/, '');
      found.push({ kind: 'flag', name, value, words: [`${name}=${value}`], known });
      return { found, taken: 1 };
    }
    if (table.values.has(name)) {
      const value = args[at + 1];
      found.push({ kind: 'flag', name, value, words: value === undefined ? [name] : [name, value], known });
      return { found, taken: value === undefined ? 1 : 2 };
    }
    found.push({ kind: 'flag', name, value: undefined, words: [name], known });
  }
  return { found, taken: 1 };
};

/** Reads the next argument. An unknown flag counts as a switch. */
export const scanNext = (args: readonly string[], at: number, table: FlagTable): Step => {
  const argument = args[at] ?? '';
  if (argument.startsWith('--')) return scanLong(args, at, table);
  if (argument.startsWith('-') && argument.length > 1) return scanShort(args, at, table);
  return { found: [{ kind: 'word', text: argument, words: [argument] }], taken: 1 };
};

/** Reads a boolean as Go's strconv.ParseBool does. A switch without a value is on. */
export const isOn = (value: string | undefined): boolean =>
  value === undefined || ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value);
