import { LOCK_PREFIX } from '../../helm/record.ts';
import { pathOf } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { FREEZE, FREEZE_BY } from '../../policy/lock-annotations.ts';
import { showName } from '../../text/escape.ts';
import { newRecord } from '../check/dry-record.ts';
import type { Finding } from './finding.ts';
import type { Patient } from './patient.ts';
import { explainRest, whyNobody } from './proof.ts';
import { type Outcome, tryWrite } from './try-write.ts';

/** A release that nobody has. */
const RELEASE = 'belay-doctor';

const CHART = { name: RELEASE, version: '0.0.0' };

const createRecord = (
  { api, probeNamespace: namespace }: Patient,
  edit: (record: KubernetesObject) => KubernetesObject,
) => {
  const name = { namespace, name: RELEASE };
  const status = 'pending-install';
  const body = edit(newRecord({ release: name, kind: 'Secret', revision: 1, status, chart: CHART, namespace }));
  return tryWrite(api, { method: 'POST', path: pathOf('api', 'v1', 'namespaces', namespace, 'secrets'), body });
};

const annotated =
  (annotations: Readonly<Record<string, string>>) =>
  (record: KubernetesObject): KubernetesObject => ({ ...record, metadata: { ...record.metadata, annotations } });

/** It says that it belongs to another release than its name does. */
const forged = (record: KubernetesObject): KubernetesObject => ({
  ...record,
  metadata: { ...record.metadata, labels: { ...record.metadata?.labels, name: `${RELEASE}-forged` } },
});

/**
 * The proof that Belay is asked about records: a lock that no Belay knows is refused by every Belay, whatever its policies say, and by the
 * validating webhook alone.
 */
export const proveGuard = async (patient: Patient): Promise<{ finding: Finding; isOut: boolean }> => {
  const outcome = await createRecord(patient, annotated({ [`${LOCK_PREFIX}is-belay-there`]: 'x' }));
  const isOut = outcome.came === 'to nobody' || (outcome.came === 'to Belay' && outcome.code === 'BelayUnavailable');
  return { finding: judgeGuard(patient, outcome), isOut };
};

const judgeGuard = (patient: Patient, outcome: Outcome): Finding => {
  const check = 'guard';
  if (outcome.came === 'through')
    return {
      check,
      state: 'fail',
      says: `Belay is not guarding namespace ${showName(patient.probeNamespace)}: a record with a lock that nobody knows was let through`,
      next: 'kubectl get validatingwebhookconfiguration belay -o yaml',
    };
  if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable')
    return {
      check,
      state: 'ok',
      says: `a bad record was refused by Belay within ${outcome.latencyMs} ms (${outcome.webhook}, ${outcome.code})`,
      latencyMs: outcome.latencyMs,
    };
  return explainRest(check, patient, outcome);
};

/** What every install begins with has to pass; and on its way the mutating webhook has to write who froze. */
const judgeLetThrough = (patient: Patient, outcome: Outcome, isFrozen: boolean): readonly Finding[] => {
  const [check, carry] = ['let through', 'carried locks'];
  if (outcome.came === 'to nobody') return [{ check, ...whyNobody(patient, outcome.call) }];
  if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable')
    return [
      { check, state: 'skip', says: `not checked: an install is refused here for a reason: ${outcome.headline}` },
    ];
  if (outcome.came !== 'through') return [explainRest(check, patient, outcome)];
  const { latencyMs } = outcome;
  const passed: Finding = { check, state: 'ok', says: `an install was let through within ${latencyMs} ms`, latencyMs };
  if (!isFrozen) return [passed, { check: carry, state: 'skip', says: 'not checked: you may not lock' }];
  const by = outcome.object.metadata?.annotations?.[FREEZE_BY];
  if (by !== undefined)
    return [
      passed,
      { check: carry, state: 'ok', says: `records.belay.dev (mutating) noted ${showName(by)} as who froze` },
    ];
  return [
    passed,
    {
      check: carry,
      state: 'fail',
      says: 'the mutating webhook of records was not asked: locks are lost at the next upgrade',
      next: 'kubectl get mutatingwebhookconfiguration belay -o yaml',
    },
  ];
};

export const proveLetThrough = async (patient: Patient): Promise<readonly Finding[]> => {
  const frozen = await createRecord(patient, annotated({ [FREEZE]: 'belay doctor' }));
  if (frozen.came !== 'to Belay' || frozen.code !== 'BelayLockForbidden') return judgeLetThrough(patient, frozen, true);
  return judgeLetThrough(patient, await createRecord(patient, (record) => record), false);
};

/** Belay is asked, but does it refuse? A policy may have it only say what it would have refused. */
export const proveEnforced = async (patient: Patient, isAsked: boolean): Promise<Finding> => {
  const check = 'enforced';
  const outcome = await createRecord(patient, forged);
  if (outcome.came === 'through' && isAsked)
    return {
      check,
      state: 'warn',
      says: `a forged record was let through in namespace ${showName(patient.probeNamespace)}: a policy has Belay only observe`,
      next: `${patient.command} policy`,
    };
  if (outcome.came === 'through') return { check, state: 'fail', says: 'a forged record was let through' };
  if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable')
    return { check, state: 'ok', says: `a forged record was refused (${outcome.code})`, latencyMs: outcome.latencyMs };
  return explainRest(check, patient, outcome);
};
