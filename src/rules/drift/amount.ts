/**
 * Amounts that are written in many ways and mean the same: `1000m` and `1`, `0.5` and `500m`, `1Gi` and `1024Mi`.
 * The API server rewrites quantities of its own kinds; controllers that read a custom resource into Go types do it there.
 */
const quantity = /^([-+]?)([0-9]*)(?:\.([0-9]*))?(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([-+]?[0-9]{1,2}))?$/;

const decimalExponents: Readonly<Record<string, number>> = {
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
const binaryExponents: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };

/** Longer ones are no quantities that anyone wrote. */
const maxLength = 64;

export function isSameQuantity(left: unknown, right: unknown): boolean {
  const a = parseQuantity(left);
  if (a === undefined) return false;
  const b = parseQuantity(right);
  if (b === undefined) return false;
  // Compared as units of the finer one of the two exponents.
  const exponent = Math.min(a.exponent, b.exponent);
  return a.mantissa * 10n ** BigInt(a.exponent - exponent) === b.mantissa * 10n ** BigInt(b.exponent - exponent);
}

function parseQuantity(value: unknown): { mantissa: bigint; exponent: number } | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const match = text.length > maxLength ? null : quantity.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', power = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const binary = binaryExponents[suffix];
  return {
    mantissa: binary === undefined ? digits : digits << binary,
    exponent: (decimalExponents[suffix] ?? Number(power)) - fraction.length,
  };
}

/** Maps whose values are quantities in Kubernetes' own kinds, and by custom in everybody else's. */
const quantityMaps: ReadonlySet<string> = new Set([
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
const quantityFields: ReadonlySet<string> = new Set(['sizeLimit', 'divisor', 'averageValue']);
const textMaps: ReadonlySet<string> = new Set([
  'labels',
  'annotations',
  'matchLabels',
  'data',
  'stringData',
  'nodeSelector',
]);

/** Whether that field holds a quantity, and no text that only looks like one. */
export const isQuantityField = (parent: string, key: string): boolean =>
  quantityMaps.has(parent) ||
  (key === 'value' ? parent === 'target' : quantityFields.has(key) && !textMaps.has(parent));

const duration = /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$/;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `5m` and `5m0s`: what Go makes of a duration in a custom resource when it writes it back. */
export function isSameDuration(left: unknown, right: unknown): boolean {
  const a = durationMs(left);
  return a !== undefined && a === durationMs(right);
}

function durationMs(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > maxLength || !duration.test(value)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ''] of value.matchAll(/([0-9.]+)(ms|s|m|h)/g))
    totalMs += Number(amount) * (unitMs[unit] ?? 0);
  return totalMs;
}
