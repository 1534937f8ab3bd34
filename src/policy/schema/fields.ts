import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../../text/duration.ts';
import { quoteText, showValue } from '../../text/escape.ts';
import { GLOB_PATTERN, MAX_GLOB_LENGTH } from '../name-glob.ts';

/** A check in the API server, in CEL: https://kubernetes.io/docs/reference/using-api/cel/ */
interface Validation {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden';
}

export const celRules = (...rules: readonly Validation[]) => ({ 'x-kubernetes-validations': rules });

/** The error of a check: the value in quotes, then the problem. An answer names the path of the field, so people also need the value. */
export const quoting = (problem: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `${quoteText(String(input))} ${problem}`,
});

/** A text of bounded length. A longer one is checked no further. */
export const text = (maxLength: number) =>
  z.string().max(maxLength, { abort: true, error: `is longer than ${maxLength} characters` });

export const list = <T extends z.ZodType>(item: T, maxItems: number) =>
  z.array(item).max(maxItems, { abort: true, error: `has more than ${maxItems} items` });

export const filledList = <T extends z.ZodType>(item: T, maxItems: number) => list(item, maxItems).min(1, 'is empty');

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

interface Bounds {
  readonly min: string;
  readonly maxDays: number;
}

/**
 * A duration within bounds. CEL reads no days: its rule compares a duration that begins with days by their number, and leaves every other
 * duration with days to Belay.
 */
export const duration = ({ min, maxDays }: Bounds) => {
  const minMs = parseDuration(min) ?? 0;
  const tooShort = `is shorter than ${min}`;
  const tooLong = `is longer than ${maxDays} days`;
  return text(32)
    .regex(DURATION_PATTERN, { abort: true, ...quoting('is not a duration such as 90s, 10m, 1h30m or 2d') })
    .refine((value) => (parseDuration(value) ?? 0) >= minMs, quoting(tooShort))
    .refine((value) => (parseDuration(value) ?? Number.POSITIVE_INFINITY) <= maxDays * DAY_MS, quoting(tooLong))
    .meta(
      celRules(
        { rule: `self.contains('d') || duration(self) >= duration('${min}')`, message: tooShort },
        {
          rule: `self.matches('^[0-9.]+d') ? double(self.split('d')[0]) <= ${maxDays}.0 : (self.contains('d') || duration(self) <= duration('${maxDays * 24}h'))`,
          message: tooLong,
        },
      ),
    );
};

export const oneOf = <const T extends readonly (string | false)[]>(values: T) =>
  z.literal(values, {
    error: ({ input }) => `${showValue(input)} is none of ${values.filter((value) => value !== false).join(', ')}`,
  });

/**
 * What happens to a write that a rule refuses. kubectl reads YAML 1.1, where a bare `Off` is the boolean false, so both are taken, and crd.ts
 * leaves out the type. https://yaml.org/type/bool.html
 */
export const action = oneOf(['Deny', 'Warn', 'Audit', 'Off', false]);
export const ACTIONS =
  'Deny refuses; Warn lets it pass, and kubectl shows a warning; Audit lets it pass with an audit annotation, a log line and a metric; Off (to YAML: false) does not look. Default: Deny.';

export const glob = text(MAX_GLOB_LENGTH)
  .min(1, 'is empty')
  .regex(
    GLOB_PATTERN,
    quoting('is not a glob: write a name, with at most two * (any characters) and any number of ? (any one character)'),
  );
