/**
 * The answer to a shell that asks for completion, in the format of cobra: one candidate a line, its description after a tab, and a directive
 * at the end. Helm and kubectl read the same format from their plugins.
 * https://github.com/spf13/cobra/blob/main/shell_completions.md
 */

/** The values of cobra's ShellCompDirective that are used here. */
const DIRECTIVES = { orFiles: 0, only: 4 } as const;

export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

export interface Answer {
  readonly candidates: readonly Candidate[];
  /** `orFiles`: the shell offers files when no candidate fits. `only`: the shell offers the candidates alone. */
  readonly end: keyof typeof DIRECTIVES;
}

export const NOTHING: Answer = { candidates: [], end: 'only' };
export const FILES: Answer = { candidates: [], end: 'orFiles' };

export const only = (candidates: readonly Candidate[]): Answer => ({ candidates, end: 'only' });

const isOneLine = (text: string): boolean => !/\p{Cc}/u.test(text);

/** Leaves out candidates of more than one line, such as a hostile name of a context: they would become several candidates. */
export const showAnswer = ({ candidates, end }: Answer, typed: string): string => {
  const lines = candidates
    .filter(({ value, description = '' }) => value.startsWith(typed) && isOneLine(value) && isOneLine(description))
    .map(({ value, description }) => (description ? `${value}\t${description}` : value));
  return `${[...lines, `:${DIRECTIVES[end]}`].join('\n')}\n`;
};
