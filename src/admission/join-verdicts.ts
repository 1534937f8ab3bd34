import type { Verdict } from '../rules/verdict.ts';

/** The verdict on a write that two have judged: each has its say, and one refusal is enough. */
export const joinVerdicts = (first: Verdict, second: Verdict): Verdict => {
  if (!first.allowed) return first;
  if (!second.allowed) return second;
  const waived = [...(first.waived ?? []), ...(second.waived ?? [])];
  const warnings = [...(first.warnings ?? []), ...(second.warnings ?? [])];
  const told = second.notes === undefined ? first : second;
  return {
    ...told,
    audit: { ...first.audit, ...second.audit },
    ...(waived.length > 0 && { waived }),
    ...(warnings.length > 0 && { warnings }),
  };
};
