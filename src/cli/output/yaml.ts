import { Document, Scalar, visit } from 'yaml';
import { escapeText } from '../../text/escape.ts';
import { escapeLines } from '../../text/escape-lines.ts';

const isPlain = (text: string): boolean => escapeText(text, Number.POSITIVE_INFINITY) === text;

/** Any JSON value as YAML. Text that could control a terminal is put in double quotes, which can escape it without loss. */
export const toYaml = (value: unknown): string => {
  const document = new Document(value);
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && !isPlain(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return escapeLines(document.toString({ lineWidth: 0 }));
};
