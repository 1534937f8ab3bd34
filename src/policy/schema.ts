import { z } from 'zod';
import { parseRange } from '../helm/chart-range.ts';
import { drift } from './schema/drift.ts';
import { ACTIONS, action, duration, oneOf, says, text } from './schema/fields.ts';
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

/**
 * What people write as the `spec` of a ReleasePolicy. The CustomResourceDefinition is made of it (crd.ts), and so is a Policy
 * (parse-policy.ts). Nothing is transformed in here, so that what comes in is what is read; defaults are filled in by
 * parse-policy.ts and told in the descriptions, because one of them is a setting of the process.
 *
 * Lengths and counts are bounded: the API server reckons the cost of its own checks (CEL) with them, and refuses a definition that might
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

/** What people write; parse-policy.ts fills in what they left out. */
export type ReleasePolicySpec = z.infer<typeof releasePolicySpec>;
