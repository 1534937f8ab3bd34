import { LOCK_PREFIX } from '../../helm/record.ts';
import { pathOf } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { FREEZE, FREEZE_BY } from '../../policy/lock-annotations.ts';
import { showName } from '../../text/escape.ts';
import { newRecord } from '../check/dry-record.ts';
import type { CheckContext } from './check-context.ts';
import type { Finding } from './finding.ts';
import { explainRest, whyNobody } from './proof.ts';
import { type Outcome, tryWrite } from './try-write.ts';

/** A release that does not exist. */
const RELEASE = 'belay-doctor';

const CHART = { name: RELEASE, version: '0.0.0' };

const createRecord = (
  { api, probeNamespace: namespace }: CheckContext,
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

/** A forged record: its label names another release than its name. */
const forged = (record: KubernetesObject): KubernetesObject => ({
  ...record,
  metadata: { ...record.metadata, labels: { ...record.metadata?.labels, name: `${RELEASE}-forged` } },
});

/**
 * Proves that the API server asks Belay about records. Every version of Belay refuses a lock that it does not know, whatever the policies
 * say, and only the validating webhook does so.
 */
export const proveGuard = async (context: CheckContext): Promise<{ finding: Finding; isOut: boolean }> => {
  const outcome = await createRecord(context, annotated({ [`${LOCK_PREFIX}is-belay-there`]: 'x' }));
  const isOut = outcome.came === 'to nobody' || (outcome.came === 'to Belay' && outcome.code === 'BelayUnavailable');
  return { finding: judgeGuard(context, outcome), isOut };
};

const judgeGuard = (context: CheckContext, outcome: Outcome): Finding => {
  const check = 'guard';
  if (outcome.came === 'through')
    return {
      check,
      state: 'fail',
      says: `Belay is not guarding namespace ${showName(context.probeNamespace)}: a record with a lock that nobody knows was let through`,
      next: 'kubectl get validatingwebhookconfiguration belay -o yaml',
    };
  if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable')
    return {
      check,
      state: 'ok',
      says: `a bad record was refused by Belay within ${outcome.latencyMs} ms (${outcome.webhook}, ${outcome.code})`,
      latencyMs: outcome.latencyMs,
    };
  return explainRest(check, context, outcome);
};

/** Judges the first write of an install: it has to pass, and the mutating webhook has to note who froze. */
const judgeLetThrough = (context: CheckContext, outcome: Outcome, isFrozen: boolean): readonly Finding[] => {
  const [check, carry] = ['let through', 'carried locks'];
  if (outcome.came === 'to nobody') return [{ check, ...whyNobody(context, outcome.call) }];
  if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable')
    return [
      { check, state: 'skip', says: `not checked: an install is refused here for a reason: ${outcome.headline}` },
    ];
  if (outcome.came !== 'through') return [explainRest(check, context, outcome)];
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

export const proveLetThrough = async (context: CheckContext): Promise<readonly Finding[]> => {
  const frozen = await createRecord(context, annotated({ [FREEZE]: 'belay doctor' }));
  if (frozen.came !== 'to Belay' || frozen.code !== 'BelayLockForbidden') return judgeLetThrough(context, frozen, true);
  return judgeLetThrough(context, await createRecord(context, (record) => record), false);
};

/** Proves that Belay refuses, and does not only observe, as a policy may demand. */
export const proveEnforced = async (context: CheckContext, isAsked: boolean): Promise<Finding> => {
  const check = 'enforced';
  const outcome = await createRecord(context, forged);
  if (outcome.came === 'through' && isAsked)
    return {
      check,
      state: 'warn',
      says: `a forged record was let through in namespace ${showName(context.probeNamespace)}: a policy has Belay only observe`,
      next: `${context.command} policy`,
    };
  if (outcome.came === 'through') return { check, state: 'fail', says: 'a forged record was let through' };
  if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable')
    return { check, state: 'ok', says: `a forged record was refused (${outcome.code})`, latencyMs: outcome.latencyMs };
  return explainRest(check, context, outcome);
};
