import { z } from 'zod';
import { AUTO, PRESET_NAMES } from '../presets/presets.ts';
import { ACTIONS, action, celRules, duration, filledList, glob, list, oneOf, quoting, text } from './fields.ts';

const scope = oneOf(['AllFields', 'ChartFields']);

const MAX_POINTER_LENGTH = 512;

/** The objects of a rule. */
const objects = {
  group: text(253)
    .regex(/^(\*|[0-9a-z.-]*)$/, quoting('is not an API group'))
    .describe('API group: "" is the core group, * any. Example: apps. Default: *.')
    .optional(),
  kind: text(63)
    .regex(/^(\*|[A-Za-z][0-9A-Za-z]*)$/, quoting('is not a kind'))
    .describe('Kind, * for any. Example: Deployment.'),
  name: glob.describe('Glob on the name of the object, with at most two *. Default: *.').optional(),
};

const ignoreRule = z.strictObject({
  ...objects,
  paths: filledList(
    text(MAX_POINTER_LENGTH).regex(
      /^(\/([^~/]|~[01])+)+$/,
      quoting('is not a JSON Pointer such as /spec/replicas (write ~1 for a / in a key)'),
    ),
    32,
  ).describe(
    'JSON Pointers (RFC 6901) to the fields, and all below them; * stands for any one key or list item, ~1 for a / in a key. Example: /spec/template/spec/containers/*/resources.',
  ),
});

const NEEDS_NAMESPACE = 'a ServiceAccount needs a namespace';
const HAS_NO_NAMESPACE = 'a User or a Group has no namespace';

const subjectFields = {
  kind: oneOf(['User', 'Group', 'ServiceAccount']).describe('User, Group or ServiceAccount.'),
  apiGroup: oneOf(['', 'rbac.authorization.k8s.io'])
    .describe('As RBAC writes subjects; of no consequence here.')
    .optional(),
  namespace: text(63)
    .regex(/^([0-9a-z]([0-9a-z-]*[0-9a-z])?)?$/, quoting('is not the name of a namespace'))
    .describe('For a ServiceAccount: its namespace. Else: none.')
    .optional(),
  name: text(512).min(1, 'is empty').describe('The whole name; no globs. Example: velero'),
};

interface Subject {
  readonly kind: string;
  readonly namespace?: string | undefined;
}

/** A subject as RBAC would take it. */
const asSubject = <T extends z.ZodType<Subject>>(schema: T): T =>
  schema
    .refine(({ kind, namespace = '' }) => kind !== 'ServiceAccount' || namespace !== '', {
      path: ['namespace'],
      error: NEEDS_NAMESPACE,
    })
    .refine(({ kind, namespace = '' }) => kind === 'ServiceAccount' || namespace === '', {
      path: ['namespace'],
      error: HAS_NO_NAMESPACE,
    })
    .meta(
      celRules(
        // `namespace` is a reserved word of CEL. Older API servers know the field only by its escaped name.
        {
          rule: "self.kind != 'ServiceAccount' || (has(self.__namespace__) && self.__namespace__ != '')",
          message: NEEDS_NAMESPACE,
          fieldPath: '.namespace',
          reason: 'FieldValueRequired',
        },
        {
          rule: "self.kind == 'ServiceAccount' || !has(self.__namespace__) || self.__namespace__ == ''",
          message: HAS_NO_NAMESPACE,
          fieldPath: '.namespace',
          reason: 'FieldValueForbidden',
        },
      ),
    );

const WHILE_FROZEN = 'Whether it also holds while the release is frozen. Default: false.';

const trustedSubject = asSubject(
  z.strictObject({ ...subjectFields, whileFrozen: z.boolean().describe(WHILE_FROZEN).optional() }),
);

const allowRule = z.strictObject({
  subjects: filledList(asSubject(z.strictObject(subjectFields)), 16).describe(
    'RBAC subjects to whom the fields are left.',
  ),
  ...objects,
  paths: filledList(
    text(MAX_POINTER_LENGTH).regex(
      /^(\/([^~/]|~[01*])+)+$/,
      quoting('is not a JSON Pointer such as /spec/replicas (write ~1 for a / in a key)'),
    ),
    32,
  ).describe(
    'JSON Pointers to the fields, and all below them, as in ignore; ~* stands for any characters in a key. Example: /spec/http/*/route/*/weight.',
  ),
  whileFrozen: z.boolean().describe(WHILE_FROZEN).optional(),
});

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

/** Who may change the objects of a release without Helm, and what. */
export const drift = z.strictObject({
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
  allow: list(allowRule, 64)
    .describe(
      'Fields that are left to some subjects. Example: [{subjects: [{kind: ServiceAccount, namespace: keda, name: keda-operator}], kind: "*", paths: [/spec/replicas]}]',
    )
    .optional(),
  presets: list(oneOf([AUTO, ...PRESET_NAMES]), 32)
    .describe(
      'Controllers that are known to change what charts set: each is left its own fields, and none while the release is frozen. auto stands for those whose custom resources are installed. belay policy preset list tells of each. Example: [keda, flagger].',
    )
    .optional(),
  trusted: list(trustedSubject, 64)
    .describe(
      'RBAC subjects who may change anything. Example: [{kind: ServiceAccount, namespace: velero, name: velero}]',
    )
    .optional(),
  dryRun: oneOf(['Warn', 'Deny'])
    .describe(
      'What becomes of a dry run of a change that would be refused, as by kubectl diff: Warn lets it pass and says what would be refused; Deny refuses it as well. Default: Warn.',
    )
    .optional(),
  repair: repair.describe('Sets back what has drifted while nobody looked.').optional(),
});
