import { escapeText } from './escape.ts';

/**
 * Escapes text of several lines that is JSON or double-quoted YAML. A program reads \uXXXX there as the character itself, so the text loses
 * nothing, and a terminal shows it as it is.
 */
export const escapeLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => escapeText(line, Number.POSITIVE_INFINITY))
    .join('\n');
