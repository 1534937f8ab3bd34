import { styleText } from 'node:util';
import { escapeText } from '../../text/escape.ts';
import { type Failure, showFailure } from '../failure.ts';

/** Messages for a person go to stderr. stdout contains the requested output alone. */
const say = (label: string, style: Parameters<typeof styleText>[0], text: string): void => {
  const shown = text
    .trimEnd()
    .split('\n')
    .map((line) => escapeText(line, 2_000))
    .join('\n');
  process.stderr.write(`${styleText(style, label, { stream: process.stderr })} ${shown}\n`);
};

export const warn = (text: string): void => say('Warning:', 'yellow', text);

export const note = (text: string): void => {
  process.stderr.write(`${escapeText(text, 2_000)}\n`);
};

/** Says a failure that does not end the command. */
export const sayFailure = (failure: Failure): void => {
  process.stderr.write(`${showFailure(failure)}\n`);
};
