import { z } from 'zod';
import { MAX_RANGE_LENGTH, parseRange } from '../helm/chart-range.ts';
import { drift } from './schema/drift.ts';
import { ACTIONS, action, duration, oneOf, quoting, text } from './schema/fields.ts';
import { freeze } from './schema/freeze.ts';
import { match } from './schema/match.ts';

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
  range: text(MAX_RANGE_LENGTH)
    .regex(/^[ -~]*$/, { abort: true, ...quoting('is not a SemVer range') })
    .refine(
      (range) => range === '' || parseRange(range) !== undefined,
      quoting('is not a SemVer range such as 1.4.2, 1.4.x or >=1.2 <2'),
    )
    .describe(
      'SemVer range of chart versions that are allowed, as with belay.dev/pin: the name of the chart is pinned with it. Example: ">=1.2 <2". Default: "", any version.',
    )
    .optional(),
});

/**
 * The schema of a ReleasePolicy's `spec`. crd.ts makes the CustomResourceDefinition from it, and parse-policy.ts checks a policy against it.
 * The schema transforms nothing. parse-policy.ts fills in the defaults, because one of them is a setting of the process; the descriptions
 * state them.
 *
 * Lengths and counts are bounded: from them the API server reckons the cost of its own checks (CEL), and it refuses a definition that may
 * cost too much.
 */
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

/** A spec as people write it, without the defaults. */
export type ReleasePolicySpec = z.infer<typeof releasePolicySpec>;
