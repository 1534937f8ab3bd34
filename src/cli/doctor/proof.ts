import { REHEARSED } from '../../admission/explain/rehearsed.ts';
import { escapeText, showName } from '../../text/escape.ts';
import type { CheckContext } from './check-context.ts';
import type { FailedCall } from './explain-call.ts';
import type { Finding } from './finding.ts';
import type { Outcome } from './try-write.ts';
import { BELAY_SELECTOR } from './workload-objects.ts';

/** The API server tried to call Belay, and failed. */
export const whyNobody = ({ place }: CheckContext, { webhook, said, means }: FailedCall): Omit<Finding, 'check'> => ({
  state: 'fail',
  says: `the API server does not reach Belay (${webhook}): ${means}`,
  details: [`it says: ${said}`],
  next: `kubectl get pods,service,endpointslices -n ${showName(place.namespace)}`,
});

/** The warning that src/server/without-verdict.ts adds to a write that passes without a verdict. */
const UNCHECKED = /^Belay let this pass unchecked: /;

export const isUnchecked = ({ warnings }: CheckContext): boolean => [...warnings].some((text) => UNCHECKED.test(text));

/** The code of a refusal that a dry run only warns of (`drift.dryRun` of a policy). Undefined: there was none. */
export const rehearsedCode = ({ warnings }: CheckContext): string | undefined => {
  const texts = [...warnings];
  if (!texts.some((text) => text.startsWith(REHEARSED))) return undefined;
  return texts.flatMap((text) => /\[(Belay\w+)\]/.exec(text)?.[1] ?? []).at(-1) ?? 'a warning';
};

/** The API server asked Belay, and Belay had no verdict. */
export const explainUnchecked = (check: string, { place, warnings }: CheckContext): Finding => ({
  check,
  state: 'fail',
  says: 'Belay answers, but cannot judge',
  details: [...warnings].filter((text) => UNCHECKED.test(text)).map((text) => escapeText(text, 300)),
  next: `kubectl logs -n ${showName(place.namespace)} -l ${BELAY_SELECTOR} --tail=100`,
});

/** The finding of a proof that expected a refusal and got something else. */
export const explainRest = (check: string, context: CheckContext, outcome: Outcome): Finding => {
  const { command } = context;
  if (outcome.came === 'to nobody') return { check, ...whyNobody(context, outcome.call) };
  if (outcome.came === 'to Belay') return { ...explainUnchecked(check, context), details: [outcome.headline] };
  const why = outcome.came === 'nowhere' ? outcome.why : 'it was let through';
  const isRight = why.startsWith('you may not');
  return {
    check,
    state: 'skip',
    says: `not checked: ${why}`,
    ...(isRight && check === 'guard' && { next: `${command} doctor --probe-namespace <a namespace of yours>` }),
  };
};
