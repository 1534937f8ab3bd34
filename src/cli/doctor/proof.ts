import { escapeText, showName } from '../../text/escape.ts';
import type { FailedCall } from './explain-call.ts';
import type { Finding } from './finding.ts';
import type { Patient } from './patient.ts';
import type { Outcome } from './try-write.ts';
import { BELAY_SELECTOR } from './workload-objects.ts';

/** The API server wanted to ask Belay, and could not. */
export const whyNobody = ({ place }: Patient, { webhook, said, means }: FailedCall): Omit<Finding, 'check'> => ({
  state: 'fail',
  says: `the API server does not reach Belay (${webhook}): ${means}`,
  details: [`it says: ${said}`],
  next: `kubectl get pods,service,endpointslices -n ${showName(place.namespace)}`,
});

/** As src/server/without-verdict.ts says it to a write that may pass when there is no verdict. */
const UNCHECKED = /^Belay let this pass unchecked: /;

export const isUnchecked = ({ warnings }: Patient): boolean => [...warnings].some((text) => UNCHECKED.test(text));

/** Belay was asked, and had no answer. */
export const explainUnchecked = (check: string, { place, warnings }: Patient): Finding => ({
  check,
  state: 'fail',
  says: 'Belay answers, but cannot judge',
  details: [...warnings].filter((text) => UNCHECKED.test(text)).map((text) => escapeText(text, 300)),
  next: `kubectl logs -n ${showName(place.namespace)} -l ${BELAY_SELECTOR} --tail=100`,
});

/** What a proof that expected a refusal has to say of everything else. */
export const explainRest = (check: string, patient: Patient, outcome: Outcome): Finding => {
  const { command } = patient;
  if (outcome.came === 'to nobody') return { check, ...whyNobody(patient, outcome.call) };
  if (outcome.came === 'to Belay') return { ...explainUnchecked(check, patient), details: [outcome.headline] };
  const why = outcome.came === 'nowhere' ? outcome.why : 'it was let through';
  const isRight = why.startsWith('you may not');
  return {
    check,
    state: 'skip',
    says: `not checked: ${why}`,
    ...(isRight && check === 'guard' && { next: `${command} doctor --probe-namespace <a namespace of yours>` }),
  };
};
