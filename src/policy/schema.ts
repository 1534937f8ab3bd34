import { z } from 'zod';
import { quoteText, showValue } from '../admission/escape.ts';
import { parseRange } from '../rules/versions.ts';
import { parseDuration } from './duration.ts';
import { GLOB_PATTERN, MAX_GLOB_LENGTH } from './name-glob.ts';
import { isTimeZone, parseSchedule, SCHEDULE_PATTERN, TIME_ZONE_PATTERN } from './schedule.ts';

/**
 * What people write as the `spec` of a ReleasePolicy. The CustomResourceDefinition is made of it (crd.ts), and so is a Policy
 * (parse-policy.ts). Nothing is transformed in here, so that what comes in is what is read; defaults are filled in by
 * parse-policy.ts and told in the descriptions, because one of them is a setting of the process.
 *
 * Lengths and counts are bounded: the API server reckons the cost of its own checks (CEL) with them, and refuses a definition that might
 * cost too much.
 */

/** A check inside of the API server, in CEL: https://kubernetes.io/docs/reference/using-api/cel/ */
interface Validation {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden';
}

const checkedBy = (...rules: readonly Validation[]) => ({ 'x-kubernetes-validations': rules });

/** The value is quoted, because whoever reads the answer sees the field's path and not the line that they wrote. */
const says = (problem: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `${quoteText(String(input))} ${problem}`,
});

/** Longer than what it bounds is not looked at any further. */
const text = (maxLength: number) =>
  z.string().max(maxLength, { abort: true, error: `is longer than ${maxLength} characters` });

const list = <T extends z.ZodType>(item: T, maxItems: number) =>
  z.array(item).max(maxItems, { abort: true, error: `has more than ${maxItems} items` });

const filledList = <T extends z.ZodType>(item: T, maxItems: number) => list(item, maxItems).min(1, 'is empty');

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/** As src/policy/duration.ts reads them. */
const DURATION_PATTERN = /^([0-9]+(\.[0-9]+)?(ms|[smhd]))+$/;

interface Bounds {
  readonly min: string;
  readonly maxDays: number;
}

/** CEL's durations know no days: those that begin with them are compared by number, other mixtures are left to Belay's own check. */
const duration = ({ min, maxDays }: Bounds) => {
  const minMs = parseDuration(min) ?? 0;
  const tooShort = `is shorter than ${min}`;
  const tooLong = `is longer than ${maxDays} days`;
  return text(32)
    .regex(DURATION_PATTERN, { abort: true, ...says('is not a duration such as 90s, 10m, 1h30m or 2d') })
    .refine((value) => (parseDuration(value) ?? 0) >= minMs, says(tooShort))
    .refine((value) => (parseDuration(value) ?? Number.POSITIVE_INFINITY) <= maxDays * DAY_MS, says(tooLong))
    .meta(
      checkedBy(
        { rule: `self.contains('d') || duration(self) >= duration('${min}')`, message: tooShort },
        {
          rule: `self.matches('^[0-9.]+d') ? double(self.split('d')[0]) <= ${maxDays}.0 : (self.contains('d') || duration(self) <= duration('${maxDays * 24}h'))`,
          message: tooLong,
        },
      ),
    );
};

/** As long as the reason of a freeze annotation may be: it is shown in every denial. */
const MAX_REASON_LENGTH = 512;

const oneOf = <const T extends readonly (string | false)[]>(values: T) =>
  z.literal(values, {
    error: ({ input }) => `${showValue(input)} is none of ${values.filter((value) => value !== false).join(', ')}`,
  });

/**
 * To YAML 1.1, which kubectl speaks, a bare `Off` is the boolean false. Whoever writes it means Off, so both are taken; crd.ts leaves out
 * the type for it. https://yaml.org/type/bool.html
 */
const action = oneOf(['Deny', 'Warn', 'Audit', 'Off', false]);
const ACTIONS =
  'Deny refuses; Warn lets it pass, and kubectl shows a warning; Audit lets it pass with an audit annotation, a log line and a metric; Off (to YAML: false) does not look. Default: Deny.';

const scope = oneOf(['AllFields', 'ChartFields']);

const glob = text(MAX_GLOB_LENGTH)
  .min(1, 'is empty')
  .regex(
    GLOB_PATTERN,
    says('is not a glob: write a name, with at most two * (any characters) and any number of ? (any one character)'),
  );

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_KEY_PATTERN = /^([0-9a-z]([0-9a-z.-]{0,251}[0-9a-z])?\/)?[0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?$/;
const LABEL_VALUE_PATTERN = /^([0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?)?$/;
const MAX_LABELS = 16;
const NO_LABEL_KEY = 'is not the key of a label';
const TOO_MANY_LABELS = `has more than ${MAX_LABELS} labels`;

const labelKey = text(317).regex(LABEL_KEY_PATTERN, says(NO_LABEL_KEY));
const labelValue = text(63).regex(LABEL_VALUE_PATTERN, says('is not the value of a label'));

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
    checkedBy(
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
      ...checkedBy({
        rule: `self.all(key, key.matches('${LABEL_KEY_PATTERN.source.replaceAll('\\', '\\\\')}'))`,
        message: `a key ${NO_LABEL_KEY}`,
      }),
    })
    .describe('Labels that the namespace must carry. Example: {env: production}')
    .optional(),
  matchExpressions: list(labelExpression, 16).describe('Conditions on its labels; all must hold.').optional(),
});

const match = z.strictObject({
  namespaceSelector: namespaceSelector
    .describe("A LabelSelector on the labels of the release's namespace. Default: every namespace.")
    .optional(),
  releases: filledList(glob, 64)
    .describe(
      'Globs on the name of the release, of which one must match: * stands for any characters (at most two in a glob), ? for any one. Example: ["web-*"]. Default: every release.',
    )
    .optional(),
});

const operations = z.strictObject({
  action: action
    .describe(
      `What happens to an operation that starts while another is in flight, to a write of one that was overtaken, and to a write that breaks the integrity of a record. ${ACTIONS}`,
    )
    .optional(),
  staleAfter: duration({ min: '5s', maxDays: 31 })
    .describe(
      'Silence after which an operation counts as dead, so that the next one may take over. A duration from 5s to 31d. Example: 10m. Default: what belay serve was told by --stale-after (10m).',
    )
    .optional(),
});

const versions = z.strictObject({
  action: action
    .describe(
      `What happens to an operation that leaves the range or goes below the deployed version, whether this policy or an annotation forbids it. ${ACTIONS}`,
    )
    .optional(),
  downgrade: oneOf(['Allow', 'Deny'])
    .describe(
      "Deny: the chart's version may not go below the one deployed, as with belay.dev/no-downgrade. Default: Allow.",
    )
    .optional(),
  range: text(256)
    .regex(/^[ -~]*$/, { abort: true, ...says('is not a SemVer range') })
    .refine(
      (range) => range === '' || parseRange(range) !== undefined,
      says('is not a SemVer range such as 1.4.2, 1.4.x or >=1.2 <2'),
    )
    .describe(
      'SemVer range of chart versions that are allowed, as with belay.dev/pin: the name of the chart is pinned with it. Example: ">=1.2 <2". Default: "", any version.',
    )
    .optional(),
});

const MAX_POINTER_LENGTH = 512;

const ignoreRule = z.strictObject({
  group: text(253)
    .regex(/^(\*|[0-9a-z.-]*)$/, says('is not an API group'))
    .describe('API group: "" is the core group, * any. Example: apps. Default: *.')
    .optional(),
  kind: text(63)
    .regex(/^(\*|[A-Za-z][0-9A-Za-z]*)$/, says('is not a kind'))
    .describe('Kind, * for any. Example: Deployment.'),
  name: glob.describe('Glob on the name of the object, with at most two *. Default: *.').optional(),
  paths: filledList(
    text(MAX_POINTER_LENGTH).regex(
      /^(\/([^~/]|~[01])+)+$/,
      says('is not a JSON Pointer such as /spec/replicas (write ~1 for a / in a key)'),
    ),
    32,
  ).describe(
    'JSON Pointers (RFC 6901) to the fields, and all below them; * stands for any one key or list item, ~1 for a / in a key. Example: /spec/template/spec/containers/*/resources.',
  ),
});

const NEEDS_NAMESPACE = 'a ServiceAccount needs a namespace';
const HAS_NO_NAMESPACE = 'a User or a Group has no namespace';

const subject = z
  .strictObject({
    kind: oneOf(['User', 'Group', 'ServiceAccount']).describe('User, Group or ServiceAccount.'),
    apiGroup: oneOf(['', 'rbac.authorization.k8s.io'])
      .describe('As RBAC writes subjects; of no consequence here.')
      .optional(),
    namespace: text(63)
      .regex(/^([0-9a-z]([0-9a-z-]*[0-9a-z])?)?$/, says('is not the name of a namespace'))
      .describe('For a ServiceAccount: its namespace. Else: none.')
      .optional(),
    name: text(512).min(1, 'is empty').describe('The whole name; no globs. Example: velero'),
  })
  .refine(({ kind, namespace = '' }) => kind !== 'ServiceAccount' || namespace !== '', {
    path: ['namespace'],
    error: NEEDS_NAMESPACE,
  })
  .refine(({ kind, namespace = '' }) => kind === 'ServiceAccount' || namespace === '', {
    path: ['namespace'],
    error: HAS_NO_NAMESPACE,
  })
  .meta(
    checkedBy(
      {
        rule: "self.kind != 'ServiceAccount' || (has(self.namespace) && self.namespace != '')",
        message: NEEDS_NAMESPACE,
        fieldPath: '.namespace',
        reason: 'FieldValueRequired',
      },
      {
        rule: "self.kind == 'ServiceAccount' || !has(self.namespace) || self.namespace == ''",
        message: HAS_NO_NAMESPACE,
        fieldPath: '.namespace',
        reason: 'FieldValueForbidden',
      },
    ),
  );

const repair = z.strictObject({
  action: oneOf(['Off', 'Apply', false])
    .describe('Apply: what has drifted is set back to what the chart says. Default: Off (to YAML: false).')
    .optional(),
  prune: z
    .boolean()
    .describe('Whether repair also removes fields that others added inside of what the chart sets. Default: false.')
    .optional(),
  interval: duration({ min: '1m', maxDays: 7 })
    .describe('How often it looks for drift. A duration from 1m to 7d. Example: 1h. Default: 10m.')
    .optional(),
});

const drift = z.strictObject({
  action: action
    .describe(
      `What happens to a change of what the chart manages by somebody else than the operation in flight. ${ACTIONS}`,
    )
    .optional(),
  users: scope
    .describe(
      'What people may not change. AllFields: any desired state; ChartFields: fields that the chart sets. Default: AllFields.',
    )
    .optional(),
  serviceAccounts: scope
    .describe('What service accounts may not change, in the same words. Default: ChartFields.')
    .optional(),
  ignore: list(ignoreRule, 64)
    .describe(
      'Fields that are left to others. Example: [{group: apps, kind: Deployment, name: "*", paths: [/spec/replicas]}]',
    )
    .optional(),
  trusted: list(subject, 64)
    .describe(
      'RBAC subjects who may change anything. Example: [{kind: ServiceAccount, namespace: velero, name: velero}]',
    )
    .optional(),
  repair: repair.describe('Sets back what has drifted while nobody looked.').optional(),
});

const freezeWindow = z
  .strictObject({
    schedule: text(128)
      .regex(SCHEDULE_PATTERN, {
        abort: true,
        ...says('is not a cron expression of five fields: minute, hour, day of month, month, day of week'),
      })
      .describe(
        'When it begins: a cron expression of five fields (minute, hour, day of month, month, day of week). A time that a clock change skips is the first moment after it, one that comes twice the first of them. Example: "0 16 * * FRI".',
      ),
    duration: duration({ min: '1s', maxDays: 31 }).describe(
      'For how long: time that passes, also over a clock change. From 1s to 31d. Windows that overlap or adjoin are one. Example: 64h.',
    ),
    timeZone: text(64)
      .regex(TIME_ZONE_PATTERN, { abort: true, ...says('is not an IANA time zone such as Europe/Berlin') })
      .refine(isTimeZone, says('is not an IANA time zone such as Europe/Berlin'))
      .describe('IANA time zone of the schedule. Example: Europe/Berlin. Default: UTC.')
      .optional(),
    reason: text(MAX_REASON_LENGTH)
      .regex(/[^ ]/, 'is empty; write why, for whoever is refused')
      .describe('Shown to whoever is refused. Example: weekend'),
  })
  .refine(({ schedule, timeZone = 'UTC' }) => !isTimeZone(timeZone) || everStarts(schedule, timeZone), {
    path: ['schedule'],
    error: ({ input }) =>
      `${quoteText(String((input as { schedule: unknown }).schedule))} is not a cron expression of five fields that ever comes true`,
  });

/** From any day on: a schedule without years comes back within a few, or never (30 February). */
const everStarts = (schedule: string, timeZone: string): boolean =>
  parseSchedule(schedule, timeZone)?.nextStart(Date.UTC(2000, 0)) !== undefined;

const freeze = z.strictObject({
  action: action
    .describe(`What happens to a write that a freeze of any kind refuses, by policy or by annotation. ${ACTIONS}`)
    .optional(),
  reason: text(MAX_REASON_LENGTH)
    .regex(/^$|[^ ]/, 'is blank; write why, or leave it out')
    .describe(
      'Set: the releases are frozen, for this reason. Example: "black friday, ask #sre". Default: "", not frozen.',
    )
    .optional(),
  windows: list(freezeWindow, 20).describe('Freezes that come and go by the clock.').optional(),
});

export const releasePolicySpec = z.strictObject({
  priority: z
    .int32('is not a whole number of 32 bits')
    .meta({ format: 'int32' })
    .describe(
      'Of the policies that match a release, the one of highest priority alone is in force; of equals, the one whose name comes first. Default: 0.',
    )
    .optional(),
  match: match
    .describe('The releases that this policy is for: all conditions must hold. Default: every release.')
    .optional(),
  operations: operations.describe('One operation at a time, and records as Helm wrote them.').optional(),
  versions: versions.describe('Which chart versions a release may move to.').optional(),
  drift: drift.describe('Changes of what a chart manages, past Helm.').optional(),
  freeze: freeze.describe('While frozen, nothing about a release changes.').optional(),
});

/** What people write; parse-policy.ts fills in what they left out. */
export type ReleasePolicySpec = z.infer<typeof releasePolicySpec>;
