import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Attempt } from './admission.ts';

/** Which of the shipped webhooks a write is asked about, read out of the manifests that are installed. */

export interface ShippedWebhook {
  readonly name: string;
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly operations: readonly string[];
  }[];
  readonly namespaceSelector?: { readonly matchExpressions: readonly { readonly values: readonly string[] }[] };
  readonly objectSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
}

export const shippedWebhooks = (kind: 'mutating' | 'validating'): readonly ShippedWebhook[] => {
  const file = new URL(`../../manifests/base/${kind}-webhooks.yaml`, import.meta.url);
  return (parse(readFileSync(file, 'utf8')) as { webhooks: readonly ShippedWebhook[] }).webhooks;
};

const CONTROLLERS: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:namespace-controller',
  'system:serviceaccount:kube-system:generic-garbage-collector',
  'system:kube-controller-manager',
  'system:apiserver',
]);

const CLUSTER_ITSELF: ReadonlySet<string> = new Set([
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'system:cloud-controller-manager',
  'system:apiserver',
]);

const annotationsOf = (object: KubernetesObject | undefined): Readonly<Record<string, string>> =>
  object?.metadata?.annotations ?? {};

const hasLock = (object: KubernetesObject | undefined): boolean =>
  Object.keys(annotationsOf(object)).some((key) => key.startsWith('belay.dev/'));

const states = ({ before, after }: Attempt): readonly KubernetesObject[] =>
  [after, before].filter((object) => object !== undefined);

/**
 * The conditions of the manifests by hand, for there is no CEL here. What they are worth is tested with a real API server
 * (test/cluster/webhook-conditions.test.ts); that none of them has changed since they were translated, by their text
 * (test/unit/memory/shipped-webhooks.test.ts).
 */
const CONDITIONS: Readonly<Record<string, (attempt: Attempt) => boolean>> = {
  'not-the-clusters-own-clean-up': ({ caller }) => !CONTROLLERS.has(caller.user.username),
  'a-record': (attempt) =>
    states(attempt).some(
      ({ metadata, data }) =>
        metadata?.name?.startsWith('sh.helm.release.v1.') === true || Object.hasOwn((data ?? {}) as object, 'release'),
    ),
  'the-name-of-a-record-alone': ({ after }) =>
    after?.metadata?.name?.startsWith('sh.helm.release.v1.') === true && after.metadata.labels?.owner !== 'helm',
  'a-claim': (attempt) =>
    states(attempt).some(
      ({ metadata }) =>
        metadata?.name?.startsWith('belay.') === true || Object.hasOwn(metadata?.labels ?? {}, 'belay.dev/claim'),
    ),
  'a-belay-annotation-before-or-after': (attempt) => states(attempt).some(hasLock),
  'no-belay-annotation': ({ before }) => !hasLock(before),
  'not-kubernetes-itself': ({ caller: { user } }) =>
    !user.username.startsWith('system:serviceaccount:kube-system:') &&
    !CLUSTER_ITSELF.has(user.username) &&
    !user.groups.includes('system:nodes'),
  'not-belay-itself': ({ caller }) => caller.user.username !== 'system:serviceaccount:belay-system:belay',
  'marked-as-part-of-a-release': (attempt) =>
    states(attempt).some(
      (object) =>
        'meta.helm.sh/release-name' in annotationsOf(object) &&
        'meta.helm.sh/release-namespace' in annotationsOf(object),
    ),
  'not-of-a-release-in-belays-own-namespace': ({ before, after }) =>
    annotationsOf(before ?? after)['meta.helm.sh/release-namespace'] !== 'belay-system',
};

export const isTranslated = (condition: string): boolean => condition in CONDITIONS;

const covers = (listed: readonly string[], value: string): boolean => listed.includes('*') || listed.includes(value);

/** `*` stands for main resources, `* /scale` (without the space) for the scale of each. */
const coversResource = (listed: readonly string[], resource: string, subResource: string): boolean =>
  subResource === '' ? covers(listed, resource) : listed.some((each) => each === `*/${subResource}`);

/** Whether the API server asks this webhook about this write. */
export const isAsked = (webhook: ShippedWebhook, attempt: Attempt): boolean => {
  const { resource, namespace, name, subResource } = attempt.place;
  const isCovered = webhook.rules.some(
    ({ apiGroups, resources, operations }) =>
      covers(apiGroups, resource.group) &&
      coversResource(resources, resource.resource, subResource) &&
      operations.includes(attempt.operation),
  );
  if (!isCovered) return false;
  const lives = resource.kind === 'Namespace' ? name || (attempt.after?.metadata?.name ?? '') : namespace;
  const left = webhook.namespaceSelector?.matchExpressions.flatMap(({ values }) => values) ?? [];
  if (left.includes(lives)) return false;
  const labels = Object.entries(webhook.objectSelector?.matchLabels ?? {});
  const carries = ({ metadata }: KubernetesObject): boolean =>
    labels.every(([key, value]) => metadata?.labels?.[key] === value);
  if (!states(attempt).some(carries)) return false;
  return (webhook.matchConditions ?? []).every((condition) => {
    const isMet = CONDITIONS[condition.name];
    if (isMet === undefined) throw new Error(`the condition ${condition.name} is not translated`);
    return isMet(attempt);
  });
};
