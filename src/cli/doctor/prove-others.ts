import { POLICIES_PATH } from '../../facts/policy-status.ts';
import { LOCK_PREFIX } from '../../helm/record.ts';
import { pathOf } from '../../kubernetes/api.ts';
import type { Finding } from './finding.ts';
import type { Patient } from './patient.ts';
import { explainRest } from './proof.ts';
import { type Outcome, tryWrite } from './try-write.ts';

const NAME = 'belay-doctor';

const judge = (check: string, patient: Patient, what: string, outcome: Outcome): Finding => {
  if (outcome.came === 'through')
    return {
      check,
      state: 'fail',
      says: `${what} was let through: Belay is not asked about it`,
      next: 'kubectl get validatingwebhookconfiguration belay -o yaml',
    };
  if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable')
    return {
      check,
      state: 'ok',
      says: `${what} was refused (${outcome.webhook}, ${outcome.code})`,
      latencyMs: outcome.latencyMs,
    };
  const { next: _next, ...rest } = explainRest(check, patient, outcome);
  // Another namespace would not help who may not write what has none.
  return outcome.came === 'nowhere' ? rest : explainRest(check, patient, outcome);
};

/** A lock on a Namespace that no Belay knows. */
export const proveNamespaces = async (patient: Patient): Promise<Finding> => {
  const metadata = { name: NAME, annotations: { [`${LOCK_PREFIX}is-belay-there`]: 'x' } };
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
  const outcome = await tryWrite(patient.api, { method: 'POST', path: pathOf('api', 'v1', 'namespaces'), body });
  return judge('guard of namespaces', patient, 'a bad lock on a Namespace', outcome);
};

/** A policy that its schema takes, and that nobody can read: there is no such time zone, and no such range. An older schema may drop one. */
export const provePolicies = async (patient: Patient): Promise<Finding> => {
  const windows = [{ schedule: '0 0 * * *', duration: '1h', timeZone: 'Nowhere/Nowhere', reason: NAME }];
  const body = {
    apiVersion: 'belay.dev/v1alpha1',
    kind: 'ReleasePolicy',
    metadata: { name: NAME },
    spec: { match: { releases: [NAME] }, freeze: { windows }, versions: { range: 'none of these' } },
  };
  const outcome = await tryWrite(patient.api, { method: 'POST', path: POLICIES_PATH, body });
  return judge('guard of policies', patient, 'a bad policy', outcome);
};
