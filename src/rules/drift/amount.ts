import { parseDuration } from '../../text/duration.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const QUANTITY = /^([-+]?)([0-9]*)(?:\.([0-9]*))?(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([-+]?[0-9]{1,2}))?$/;

const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_EXPONENTS: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };

/** Longest text that is read as a quantity or a duration. */
const MAX_LENGTH = 64;

/**
 * Whether two quantities are equal in value: `1000m` and `1`, `0.5` and `500m`, `1Gi` and `1024Mi`. The API server rewrites the quantities
 * of its own kinds, and controllers that read custom resources into Go types rewrite theirs.
 */
export const isSameQuantity = (left: unknown, right: unknown): boolean => {
  const a = parseQuantity(left);
  if (a === undefined) return false;
  const b = parseQuantity(right);
  if (b === undefined) return false;
  // Both are compared in units of the smaller exponent.
  const exponent = Math.min(a.exponent, b.exponent);
  return a.mantissa * 10n ** BigInt(a.exponent - exponent) === b.mantissa * 10n ** BigInt(b.exponent - exponent);
};

const parseQuantity = (value: unknown): { mantissa: bigint; exponent: number } | undefined => {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const match = text.length > MAX_LENGTH ? null : QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', power = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const binary = BINARY_EXPONENTS[suffix];
  return {
    mantissa: binary === undefined ? digits : digits << binary,
    exponent: (DECIMAL_EXPONENTS[suffix] ?? Number(power)) - fraction.length,
  };
};

/** Maps whose values are quantities in Kubernetes' own kinds. */
const QUANTITY_MAPS: ReadonlySet<string> = new Set([
  'limits',
  'requests',
  'capacity',
  'hard',
  'overhead',
  'allocatedResources',
  'max',
  'min',
  'default',
  'defaultRequest',
  'maxLimitRequestRatio',
]);
const QUANTITY_FIELDS: ReadonlySet<string> = new Set(['sizeLimit', 'divisor', 'averageValue']);
const TEXT_MAPS: ReadonlySet<string> = new Set([
  'labels',
  'annotations',
  'matchLabels',
  'data',
  'stringData',
  'nodeSelector',
]);

/** Maps that custom resources take over from Kubernetes as they are, with the names of resources as keys. */
const RESOURCE_MAPS: ReadonlySet<string> = new Set(['limits', 'requests', 'capacity', 'hard', 'overhead']);
const RESOURCE_NAME = /^((requests|limits)\.)?(cpu|memory|storage|ephemeral-storage|hugepages-\w+)$|^[\w.-]+\/[\w.-]+$/;

/**
 * Whether a field holds a quantity, and not text that only looks like one. Of a custom resource Belay has no schema, so there only amounts
 * of a named resource count: `version: "1.10"` is not `"1.1"`.
 */
export const isQuantityField = (parent: string, key: string, isBuiltIn: boolean): boolean => {
  if (!isBuiltIn) return RESOURCE_MAPS.has(parent) && RESOURCE_NAME.test(key);
  return (
    QUANTITY_MAPS.has(parent) ||
    (key === 'value' ? parent === 'target' : QUANTITY_FIELDS.has(key) && !TEXT_MAPS.has(parent))
  );
};

/** Whether two durations are as long as each other: Go writes `5m` of a custom resource back as `5m0s`. */
export const isSameDuration = (left: unknown, right: unknown): boolean => {
  const leftMs = goDurationMs(left);
  return leftMs !== undefined && leftMs === goDurationMs(right);
};

/** Go knows no days. */
const goDurationMs = (value: unknown): number | undefined =>
  typeof value === 'string' && value.length <= MAX_LENGTH && !value.includes('d') ? parseDuration(value) : undefined;
