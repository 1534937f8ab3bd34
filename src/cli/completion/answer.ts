/**
 * What a shell is told that asks for completion, in the words of cobra, which Helm and kubectl understand of their plugins as well: a
 * candidate a line, its description after a tab, and what is to be done with them at the end.
 * https://github.com/spf13/cobra/blob/main/shell_completions.md
 */

/** Of cobra's ShellCompDirective, what is used here. */
const DIRECTIVES = { orFiles: 0, only: 4 } as const;

export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

export interface Answer {
  readonly candidates: readonly Candidate[];
  /** `orFiles`: where none fits, files do. `only`: nothing but these. */
  readonly end: keyof typeof DIRECTIVES;
}

export const NOTHING: Answer = { candidates: [], end: 'only' };
export const FILES: Answer = { candidates: [], end: 'orFiles' };

export const only = (candidates: readonly Candidate[]): Answer => ({ candidates, end: 'only' });

const isOneLine = (text: string): boolean => !/\p{Cc}/u.test(text);

/** What others wrote, such as the name of a context, is left out where it would not stay one candidate. */
export const showAnswer = ({ candidates, end }: Answer, typed: string): string => {
  const lines = candidates
    .filter(({ value, description = '' }) => value.startsWith(typed) && isOneLine(value) && isOneLine(description))
    .map(({ value, description }) => (description ? `${value}\t${description}` : value));
  return `${[...lines, `:${DIRECTIVES[end]}`].join('\n')}\n`;
};
