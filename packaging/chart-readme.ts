import { parse } from 'yaml';
import { code, table } from '../docs/generate/markdown.ts';

/** A value with a comment in values.yaml. */
export interface DescribedValue {
  /** Joined by dots, as for `--set`. */
  readonly path: string;
  readonly fallback: unknown;
  readonly meaning: string;
}

const at = (values: unknown, path: readonly string[]): unknown =>
  path.reduce((value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key], values);

/** Every key of values.yaml with the comment right above it, in their order. A comment that a blank line follows belongs to no key. */
export const describeValues = (text: string): readonly DescribedValue[] => {
  const values: unknown = parse(text);
  const described: DescribedValue[] = [];
  const path: string[] = [];
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const [, note] = /^ *# (.*)$/.exec(line) ?? [];
    if (note !== undefined) {
      comment.push(note);
      continue;
    }
    const [, indent = '', key] = /^( *)([\w-]+):/.exec(line) ?? [];
    if (key !== undefined) {
      path.splice(indent.length / 2, path.length, key);
      const meaning = comment.join(' ');
      if (meaning !== '') described.push({ path: path.join('.'), fallback: at(values, path), meaning });
    }
    comment = [];
  }
  return described;
};

const BEGIN = '<!-- values: made by `make generate` of values.yaml -->';
const END = '<!-- end of values -->';

/** Where the comment names what is inside as well, the braces say enough. */
const shown = (fallback: unknown): string => code(JSON.stringify(fallback));

const isParent = (path: string, all: readonly DescribedValue[]): boolean =>
  all.some((other) => other.path.startsWith(`${path}.`));

export const withValuesTable = (readme: string, valuesText: string): string => {
  const [before, rest] = readme.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined) throw new Error(`the chart's README lacks ${BEGIN} or ${END}`);
  const described = describeValues(valuesText);
  const rows = described.map(({ path, fallback, meaning }) => [
    code(path),
    isParent(path, described) ? '' : shown(fallback),
    meaning,
  ]);
  return `${before}${BEGIN}\n\n${table(['value', 'default', 'meaning'], rows)}\n\n${END}${after}`;
};
