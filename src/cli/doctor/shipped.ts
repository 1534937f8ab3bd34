import SHIPPED_MANIFESTS from './shipped-manifests.json' with { type: 'json' };

/** The fields of a webhook (admissionregistration.k8s.io/v1) that the checks read. */
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
  /** The rights that Belay's service account needs in the whole cluster. */
  readonly clusterRules: readonly PolicyRule[];
  /** Further rights, if Belay writes the caBundles. */
  readonly injectionRules: readonly PolicyRule[];
  /** The rights in Belay's own namespace, if Belay makes the certificates. */
  readonly namespaceRules: readonly PolicyRule[];
}

/** Where Belay runs. It may differ from manifests/base. */
export interface Place {
  readonly namespace: string;
  readonly service: string;
  readonly serviceAccount: string;
}

/** The names in manifests/base. */
const BASE_NAMESPACE = 'belay-system';
const BASE_USER = 'system:serviceaccount:belay-system:belay';

const moveTexts = (value: unknown, { namespace, serviceAccount }: Place): unknown => {
  if (typeof value === 'string')
    return value === BASE_NAMESPACE
      ? namespace
      : value
          .replaceAll(BASE_USER, `system:serviceaccount:${namespace}:${serviceAccount}`)
          // A string in a CEL expression.
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

/** The shipped manifests of this version, with the names of this place. */
export const shippedAt = (place: Place): Shipped => {
  const shipped = moveTexts(SHIPPED_MANIFESTS, place) as Shipped;
  return {
    ...shipped,
    validating: shipped.validating.map((webhook) => moveService(webhook, place)),
    mutating: shipped.mutating.map((webhook) => moveService(webhook, place)),
  };
};
