import SHIPPED_MANIFESTS from './shipped-manifests.json' with { type: 'json' };

/** A webhook of admissionregistration.k8s.io/v1, as far as it is looked at. */
export interface Webhook {
  readonly name: string;
  readonly clientConfig?: {
    readonly url?: string;
    readonly caBundle?: string;
    readonly service?: {
      readonly name?: string;
      readonly namespace?: string;
      readonly port?: number;
      readonly path?: string;
    };
  };
  readonly [field: string]: unknown;
}

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export interface Shipped {
  readonly validating: readonly Webhook[];
  readonly mutating: readonly Webhook[];
  /** What Belay's service account needs everywhere. */
  readonly clusterRules: readonly PolicyRule[];
  /** What it needs beside that where it writes the caBundles. */
  readonly injectionRules: readonly PolicyRule[];
  /** What it needs in its own namespace, where it makes the certificates. */
  readonly namespaceRules: readonly PolicyRule[];
}

/** Where Belay runs, which may be elsewhere than manifests/base has it. */
export interface Place {
  readonly namespace: string;
  readonly service: string;
  readonly serviceAccount: string;
}

/** As manifests/base has them. */
const BASE_NAMESPACE = 'belay-system';
const BASE_USER = 'system:serviceaccount:belay-system:belay';

const moveTexts = (value: unknown, { namespace, serviceAccount }: Place): unknown => {
  if (typeof value === 'string')
    return value === BASE_NAMESPACE
      ? namespace
      : value
          .replaceAll(BASE_USER, `system:serviceaccount:${namespace}:${serviceAccount}`)
          // As a text in an expression of CEL.
          .replaceAll(`'${BASE_NAMESPACE}'`, `'${namespace}'`);
  if (Array.isArray(value)) return value.map((item) => moveTexts(item, { namespace, service: '', serviceAccount }));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, moveTexts(item, { namespace, service: '', serviceAccount })]),
  );
};

const moveService = (webhook: Webhook, { service }: Place): Webhook => ({
  ...webhook,
  clientConfig: { ...webhook.clientConfig, service: { ...webhook.clientConfig?.service, name: service } },
});

/** What this version of Belay ships, as it would be at this place. */
export const shippedAt = (place: Place): Shipped => {
  const shipped = moveTexts(SHIPPED_MANIFESTS, place) as Shipped;
  return {
    ...shipped,
    validating: shipped.validating.map((webhook) => moveService(webhook, place)),
    mutating: shipped.mutating.map((webhook) => moveService(webhook, place)),
  };
};
