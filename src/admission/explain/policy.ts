import type { Denial } from '../../rules/verdict.ts';
import { escapeText, showName, showPath } from '../../text/escape.ts';
import type { Explanation } from './explanation.ts';

/** Most problems that are shown. An author whose policy has more corrects these first. */
const MAX_PROBLEMS = 20;
const MAX_PROBLEM_CHARACTERS = 300;

/** Tells all bad fields at once, in the same words as `status.conditions` of a stored policy that cannot be read. */
export const explainBadPolicy = ({ policy, problems }: Extract<Denial, { code: 'BelayBadPolicy' }>): Explanation => {
  const shown = problems.slice(0, MAX_PROBLEMS).map(({ field, problem }) => ({
    field: showPath(field),
    message: escapeText(problem, MAX_PROBLEM_CHARACTERS),
  }));
  const fields = problems.length === 1 ? 'a field' : `${problems.length} fields`;
  return {
    headline: `ReleasePolicy ${showName(policy)} refused: ${fields} cannot be read`,
    lines: [
      ...shown.map(({ field, message }) => `${field}: ${message}`),
      ...(problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : []),
      'nothing has changed: what was in force stays in force',
    ],
    causes: shown.map(({ field, message }) => ({ reason: 'BelayBadPolicy', field, message })),
  };
};
