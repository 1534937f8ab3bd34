import type { Step } from '../rules/drift/field-path.ts';
import type { FieldChange } from '../rules/verdict.ts';

/** What programs of the cluster do to charts by design, and nobody has to be told of. */

/**
 * Whether a webhook that the chart installs with Ignore has been raised to Fail. istiod and the certificate jobs of several charts do so once the
 * webhook answers (istio/istio pkg/webhooks/validation/controller/controller.go).
 */
export const isRaisedFailurePolicy = (key: string, chart: unknown, live: unknown): boolean =>
  key === 'failurePolicy' && chart === 'Ignore' && live === 'Fail';

const WEBHOOKS: ReadonlySet<unknown> = new Set(['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']);

export const isWebhooks = (kind: unknown): boolean => WEBHOOKS.has(kind);

export const withoutOwnDoing = (kind: unknown, changes: readonly FieldChange[]): readonly FieldChange[] =>
  isWebhooks(kind)
    ? changes.filter(
        ({ pointer, before, after }) =>
          !(/^\/webhooks\/\d+\/failurePolicy$/.test(pointer) && isRaisedFailurePolicy('failurePolicy', before, after)),
      )
    : changes;

const nameOf = (step: Step | undefined): string => (typeof step === 'string' ? step : (step?.label ?? ''));

/**
 * Whether an addition is one that controllers make in what any chart sets: the variable by which Reloader restarts Pods, secrets for pulling
 * images, and the hash by which Argo Rollouts chooses the Pods of a Service or of a subset.
 */
export const isUsualAddition = (steps: readonly Step[]): boolean => {
  const [parent, last] = [nameOf(steps.at(-2)), nameOf(steps.at(-1))];
  if (parent === 'env') return /^STAKATER_\w+$/.test(last);
  if (parent === 'imagePullSecrets' || last === 'imagePullSecrets') return true;
  return (parent === 'labels' || parent === 'selector') && last === 'rollouts-pod-template-hash';
};
