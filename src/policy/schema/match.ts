import { z } from 'zod';
import { celRules, filledList, glob, list, oneOf, quoting, text } from './fields.ts';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_KEY_PATTERN = /^([0-9a-z]([0-9a-z.-]{0,251}[0-9a-z])?\/)?[0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?$/;
const LABEL_VALUE_PATTERN = /^([0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?)?$/;
const MAX_LABELS = 16;
const NO_LABEL_KEY = 'is not the key of a label';
const TOO_MANY_LABELS = `has more than ${MAX_LABELS} labels`;

const labelKey = text(317).regex(LABEL_KEY_PATTERN, quoting(NO_LABEL_KEY));
const labelValue = text(63).regex(LABEL_VALUE_PATTERN, quoting('is not the value of a label'));

const NEEDS_VALUES = 'In and NotIn need values';
const TAKES_NO_VALUES = 'Exists and DoesNotExist take no values';
const comparesValues = (operator: string): boolean => operator === 'In' || operator === 'NotIn';

const labelExpression = z
  .strictObject({
    key: labelKey.describe("A label's key. Example: team"),
    operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe(
      'In and NotIn compare with values (NotIn also selects what lacks the label); Exists and DoesNotExist do not.',
    ),
    values: list(labelValue, 64).optional().describe('For In and NotIn: at least one. Else: none.'),
  })
  .refine(({ operator, values = [] }) => !comparesValues(operator) || values.length > 0, {
    path: ['values'],
    error: NEEDS_VALUES,
  })
  .refine(({ operator, values = [] }) => comparesValues(operator) || values.length === 0, {
    path: ['values'],
    error: TAKES_NO_VALUES,
  })
  .meta(
    celRules(
      {
        rule: "!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
        message: NEEDS_VALUES,
        fieldPath: '.values',
        reason: 'FieldValueRequired',
      },
      {
        rule: "self.operator in ['In', 'NotIn'] || !has(self.values) || size(self.values) == 0",
        message: TAKES_NO_VALUES,
        fieldPath: '.values',
        reason: 'FieldValueForbidden',
      },
    ),
  );

const namespaceSelector = z.strictObject({
  matchLabels: z
    .record(labelKey, labelValue)
    .refine((labels) => Object.keys(labels).length <= MAX_LABELS, TOO_MANY_LABELS)
    .meta({
      maxProperties: MAX_LABELS,
      ...celRules({
        rule: `self.all(key, key.matches('${LABEL_KEY_PATTERN.source.replaceAll('\\', '\\\\')}'))`,
        message: `a key ${NO_LABEL_KEY}`,
      }),
    })
    .describe('Labels that the namespace must carry. Example: {env: production}')
    .optional(),
  matchExpressions: list(labelExpression, 16).describe('Conditions on its labels; all must hold.').optional(),
});

/** The releases that a policy is for. */
export const match = z.strictObject({
  namespaceSelector: namespaceSelector
    .describe("A LabelSelector on the labels of the release's namespace. Default: every namespace.")
    .optional(),
  releases: filledList(glob, 64)
    .describe(
      'Globs on the name of the release, of which one must match: * stands for any characters (at most two in a glob), ? for any one. Example: ["web-*"]. Default: every release.',
    )
    .optional(),
});
