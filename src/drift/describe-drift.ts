import type { ObjectRef } from '../kubernetes/object.ts';
import { escapeText, showName, showPath, showValue } from '../text/escape.ts';
import type { DriftedField, FieldWriter, ObjectDrift } from './findings.ts';

/** Words for Events, logs and the command line. Every text is safe to show. */

const showTime = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

export const showWriter = ({ manager, atMs }: FieldWriter): string =>
  `${manager === '' ? 'an unnamed client' : showName(manager)}${atMs === undefined ? '' : ` at ${showTime(atMs)}`}`;

const showField = ({ before, after, secret }: DriftedField): string => {
  const show = (value: unknown): string => (secret && value !== undefined ? '(hidden)' : showValue(value));
  return `${show(before)} -> ${show(after)}`;
};

/** `spec.replicas: 2 -> 5 (kubectl at 2026-01-01T10:00:00Z)` */
export const describeField = (field: DriftedField): string => {
  const writer = field.writer === undefined ? '' : ` (${showWriter(field.writer)})`;
  return `${showPath(field.path)}: ${showField(field)}${writer}`;
};

export const showObject = ({ kind, name }: ObjectRef): string => `${showName(kind)} ${showName(name)}`;

/** An Event holds a kilobyte. */
const MAX_FIELDS = 5;

/** `2 fields are not as the chart has them: …` */
export const describeObject = ({ problem, changed, added }: ObjectDrift): string => {
  if (problem === 'missing') return 'is missing';
  if (problem === 'unmarked') return 'does not carry the marks of the release, and is left alone';
  const fields = [...changed, ...added];
  const more = fields.length - MAX_FIELDS;
  const shown = fields.slice(0, MAX_FIELDS).map(describeField);
  return `is not as the chart has it: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
};

/** The text of an error as one line. */
export const showReason = (why: string): string => escapeText(why, 300);
