import { showName } from '../../admission/escape.ts';
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

/** What a proof that expected a refusal has to say of everything else. */
export const explainRest = (check: string, patient: Patient, outcome: Outcome): Finding => {
  const { place, command } = patient;
  if (outcome.came === 'to nobody') return { check, ...whyNobody(patient, outcome.call) };
  if (outcome.came === 'to Belay')
    return {
      check,
      state: 'fail',
      says: 'Belay answers, but cannot judge',
      details: [outcome.headline],
      next: `kubectl logs -n ${showName(place.namespace)} -l ${BELAY_SELECTOR} --tail=100`,
    };
  const why = outcome.came === 'nowhere' ? outcome.why : 'it was let through';
  const isRight = why.startsWith('you may not');
  return {
    check,
    state: 'skip',
    says: `not checked: ${why}`,
    ...(isRight && check === 'guard' && { next: `${command} doctor --probe-namespace <a namespace of yours>` }),
  };
};
