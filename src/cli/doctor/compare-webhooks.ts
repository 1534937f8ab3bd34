import { isDeepStrictEqual } from 'node:util';
import { quoteText, showName, showValue } from '../../text/escape.ts';
import type { Webhook } from './shipped.ts';

/** A field of a webhook that differs from the shipped one. */
export interface WebhookDrift {
  readonly webhook: string;
  /** `opens`: the API server asks Belay about other writes than it should. `differs`: Belay still guards. */
  readonly weight: 'opens' | 'differs';
  /** `failurePolicy: "Fail" -> "Ignore"`, from the shipped value to the present one. */
  readonly text: string;
}

type Json = Readonly<Record<string, unknown>>;

/** The defaults of the API server: https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/validating-webhook-configuration-v1/ */
const DEFAULTS: Json = {
  failurePolicy: 'Fail',
  timeoutSeconds: 10,
  matchPolicy: 'Equivalent',
  reinvocationPolicy: 'Never',
  namespaceSelector: {},
  objectSelector: {},
  matchConditions: [],
};

/** Webhooks that ship open and may be closed: by manifests/overlays/strict, or by an administrator for namespaces. */
const MAY_BE_CLOSED: ReadonlySet<string> = new Set([
  'objects.belay.dev',
  'subresources.belay.dev',
  'hooks.belay.dev',
  'scale.belay.dev',
  'namespace-deletes.belay.dev',
]);

/** Fields that say how Belay is asked, and not about which writes. */
const HOW: ReadonlySet<string> = new Set([
  'timeoutSeconds',
  'sideEffects',
  'reinvocationPolicy',
  'admissionReviewVersions',
]);

const FIELDS = [
  'failurePolicy',
  'matchPolicy',
  'objectSelector',
  'timeoutSeconds',
  'sideEffects',
  'reinvocationPolicy',
  'admissionReviewVersions',
] as const;

const fieldOf = (webhook: Webhook, field: string): unknown => webhook[field] ?? DEFAULTS[field];

const arrow = (field: string, shipped: unknown, live: unknown): string =>
  `${field}: ${showValue(shipped)} -> ${showValue(live)}`;

/** One spelling for all orders of the same rule. */
const canonicalRule = (rule: Json): string => {
  const sorted = (value: unknown): unknown => (Array.isArray(value) ? [...value].sort() : value);
  const { apiGroups, apiVersions, resources, operations, scope = '*' } = rule;
  return JSON.stringify([operations, apiGroups, apiVersions, resources, scope].map(sorted));
};

const describeRule = (canonical: string): string => {
  const [operations, groups, , resources] = JSON.parse(canonical) as readonly (readonly string[])[];
  const list = (values: readonly string[] | undefined): string =>
    (values ?? []).map((value) => (value === '' ? 'core' : showName(value).replaceAll('"*"', '*'))).join(',');
  return `${list(operations)} of ${list(resources)} (group ${list(groups)})`;
};

const compareRules = (shipped: Webhook, live: Webhook): readonly WebhookDrift[] => {
  const rulesOf = (webhook: Webhook): readonly string[] => ((webhook.rules ?? []) as Json[]).map(canonicalRule);
  const [wanted, found] = [rulesOf(shipped), rulesOf(live)];
  const drift = (weight: WebhookDrift['weight'], text: string): WebhookDrift => ({
    webhook: shipped.name,
    weight,
    text,
  });
  return [
    ...wanted
      .filter((rule) => !found.includes(rule))
      .map((rule) => drift('opens', `rules: ${describeRule(rule)} is missing`)),
    ...found
      .filter((rule) => !wanted.includes(rule))
      .map((rule) => drift('differs', `rules: ${describeRule(rule)} was added`)),
  ];
};

interface Condition {
  readonly name: string;
  readonly expression: string;
}

const compareConditions = (shipped: Webhook, live: Webhook): readonly WebhookDrift[] => {
  const conditionsOf = (webhook: Webhook): ReadonlyMap<string, string> =>
    new Map(
      (fieldOf(webhook, 'matchConditions') as readonly Condition[]).map(({ name, expression }) => [
        name,
        expression.replaceAll(/\s+/g, ' ').trim(),
      ]),
    );
  const [wanted, found] = [conditionsOf(shipped), conditionsOf(live)];
  const drift = (weight: WebhookDrift['weight'], name: string, what: string): WebhookDrift => ({
    webhook: shipped.name,
    weight,
    text: `matchConditions[${showName(name)}] ${what}`,
  });
  return [
    // All conditions have to hold. One more leaves out more writes; one fewer asks Belay about more writes than intended.
    ...[...wanted.keys()].filter((name) => !found.has(name)).map((name) => drift('differs', name, 'is missing')),
    ...[...found.keys()].filter((name) => !wanted.has(name)).map((name) => drift('opens', name, 'was added')),
    ...[...wanted]
      .filter(([name, expression]) => found.has(name) && found.get(name) !== expression)
      .map(([name]) => drift('opens', name, `says something else: ${quoteText(found.get(name) ?? '')}`)),
  ];
};

interface Selector {
  readonly matchLabels?: Json;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: string[];
  }[];
}

/** Namespaces that the selector leaves out in addition to the shipped one. Undefined: the selectors differ in another way. */
const moreLeftOut = (shipped: Selector, live: Selector): readonly string[] | undefined => {
  const [wanted] = shipped.matchExpressions ?? [];
  const [found, ...others] = live.matchExpressions ?? [];
  const isNotIn = wanted?.operator === 'NotIn' && found?.operator === 'NotIn' && found.key === wanted.key;
  if (!isNotIn || others.length > 0 || Object.keys(live.matchLabels ?? {}).length > 0) return undefined;
  const left = found.values ?? [];
  return (wanted.values ?? []).every((name) => left.includes(name))
    ? left.filter((name) => !wanted.values?.includes(name))
    : undefined;
};

const compareNamespaces = (shipped: Webhook, live: Webhook): readonly WebhookDrift[] => {
  const [wanted, found] = [fieldOf(shipped, 'namespaceSelector'), fieldOf(live, 'namespaceSelector')] as Selector[];
  if (wanted === undefined || found === undefined || isDeepStrictEqual(wanted, found)) return [];
  const more = moreLeftOut(wanted, found);
  if (more === undefined)
    return [{ webhook: shipped.name, weight: 'opens', text: arrow('namespaceSelector', wanted, found) }];
  const names = more.map((name) => showName(name)).join(', ');
  return [{ webhook: shipped.name, weight: 'differs', text: `namespaceSelector leaves out more: ${names}` }];
};

const compareClient = (shipped: Webhook, live: Webhook): readonly WebhookDrift[] => {
  const drift = (field: string, wanted: unknown, found: unknown): WebhookDrift => ({
    webhook: shipped.name,
    weight: 'opens',
    text: arrow(`clientConfig.${field}`, wanted, found),
  });
  const { url, service: found = {} } = live.clientConfig ?? {};
  const { service: wanted = {} } = shipped.clientConfig ?? {};
  if (url !== undefined) return [drift('url', undefined, url)];
  // The port depends on the Service of the cluster. Only a call can tell whether it is right.
  return (['namespace', 'name', 'path'] as const)
    .filter((field) => wanted[field] !== found[field])
    .map((field) => drift(`service.${field}`, wanted[field], found[field]));
};

const compareFields = (shipped: Webhook, live: Webhook): readonly WebhookDrift[] =>
  FIELDS.flatMap((field) => {
    const [wanted, found] = [fieldOf(shipped, field), fieldOf(live, field)];
    if (isDeepStrictEqual(wanted, found)) return [];
    const isClosed = field === 'failurePolicy' && found === 'Fail';
    if (isClosed && MAY_BE_CLOSED.has(shipped.name)) return [];
    const weight = HOW.has(field) || isClosed ? 'differs' : 'opens';
    return [{ webhook: shipped.name, weight, text: arrow(field, wanted, found) } as const];
  });

/** Compares the webhooks of a cluster with the shipped ones. Another check compares the caBundle. */
export const compareWebhooks = (shipped: readonly Webhook[], live: readonly Webhook[]): readonly WebhookDrift[] => {
  const found = new Map(live.map((webhook) => [webhook.name, webhook]));
  const names = new Set(shipped.map(({ name }) => name));
  const missing = shipped.filter(({ name }) => !found.has(name));
  return [
    ...missing.map(({ name }) => ({ webhook: name, weight: 'opens', text: 'is missing' }) as const),
    ...shipped.flatMap((webhook) => {
      const own = found.get(webhook.name);
      if (own === undefined) return [];
      return [compareClient, compareRules, compareNamespaces, compareConditions, compareFields].flatMap((compare) =>
        compare(webhook, own),
      );
    }),
    ...live
      .filter(({ name }) => !names.has(name))
      .map(({ name }) => ({ webhook: showName(name), weight: 'differs', text: 'is none of this version' }) as const),
  ];
};
