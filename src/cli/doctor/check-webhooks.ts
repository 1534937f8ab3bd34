import { VERSION } from '../../version.ts';
import type { Answer } from './ask.ts';
import type { CheckContext, Configuration } from './check-context.ts';
import { compareWebhooks } from './compare-webhooks.ts';
import { atMost, count, type Finding } from './finding.ts';
import { shippedAt, type Webhook } from './shipped.ts';

const APPLY = 'kubectl apply -k manifests/base';

/** Checks one webhook configuration. Without it the API server never asks Belay. */
const checkOne = (
  check: string,
  resource: string,
  answer: Answer<Configuration>,
  shipped: readonly Webhook[],
): Finding => {
  if (answer.state === 'unread') return { check, state: 'skip', says: `not checked: ${answer.why}` };
  if (answer.state === 'missing')
    return {
      check,
      state: 'fail',
      says: `there is no ${resource} belay: the API server does not ask Belay`,
      next: APPLY,
    };
  const live = answer.value.webhooks ?? [];
  const drift = compareWebhooks(shipped, live);
  const opens = drift.filter(({ weight }) => weight === 'opens');
  const closed = live.filter(
    ({ name, failurePolicy }) =>
      failurePolicy === 'Fail' && shipped.some((one) => one.name === name && one.failurePolicy === 'Ignore'),
  );
  if (drift.length === 0) {
    const strict = closed.length === 0 ? '' : `, ${closed.map(({ name }) => name).join(' and ')} fail closed`;
    return { check, state: 'ok', says: `${count(live.length, 'webhook')} as Belay ${VERSION} ships them${strict}` };
  }
  const state = opens.length > 0 ? 'fail' : 'warn';
  return {
    check,
    state,
    says:
      state === 'fail'
        ? `not as Belay ${VERSION} ships them, so that writes may pass by Belay`
        : `not as Belay ${VERSION} ships them, but Belay is asked all the same`,
    details: atMost(
      [...opens, ...drift.filter(({ weight }) => weight === 'differs')].map(
        ({ webhook, text }) => `${webhook} ${text}`,
      ),
    ),
    next: `kubectl get ${resource} belay -o yaml`,
  };
};

export const checkWebhooks = ({ place, validating, mutating }: CheckContext): readonly Finding[] => {
  const shipped = shippedAt(place);
  return [
    checkOne('validating webhooks', 'validatingwebhookconfiguration', validating, shipped.validating),
    checkOne('mutating webhooks', 'mutatingwebhookconfiguration', mutating, shipped.mutating),
  ];
};
