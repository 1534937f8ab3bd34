import { escapeText } from './escape.ts';

/**
 * In JSON, and in a double-quoted string of YAML, \uXXXX is the very character that it stands for: nothing is lost to a program, and a
 * terminal is not deceived.
 */
export const escapeLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => escapeText(line, Number.POSITIVE_INFINITY))
    .join('\n');
