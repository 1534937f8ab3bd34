import { isObject } from '../memory/fields.ts';

const TIMES: ReadonlySet<string> = new Set(['creationTimestamp', 'deletionTimestamp', 'time']);

/** What the API server fills into a Deployment where nobody said; the one in memory leaves it out. */
const DEFAULTS: ReadonlySet<string> = new Set([
  'progressDeadlineSeconds',
  'revisionHistoryLimit',
  'strategy',
  'dnsPolicy',
  'restartPolicy',
  'schedulerName',
  'securityContext',
  'terminationGracePeriodSeconds',
  'imagePullPolicy',
  'resources',
  'terminationMessagePath',
  'terminationMessagePolicy',
]);

const DEFAULT_FIELDS: ReadonlySet<string> = new Set([...DEFAULTS].map((field) => `f:${field}`));

/** Which field of an answer never matters: `details` says again what the message says. */
const LEFT_OUT: ReadonlySet<string> = new Set(['details', 'remainingItemCount', 'deletionGracePeriodSeconds']);

/**
 * Makes answers comparable: uids and versions are numbered as they first appear, times are only said to be there, and the defaults of a
 * Deployment are left out. One for a whole recording, so that the same uid is the same number everywhere.
 */
export const createNormaliser = (): ((value: unknown) => unknown) => {
  const numbers = { uid: new Map<string, number>(), version: new Map<string, number>() };
  const numberOf = (kind: keyof typeof numbers, text: string): string => {
    const known = numbers[kind].get(text) ?? numbers[kind].size + 1;
    numbers[kind].set(text, known);
    return `${kind} ${known}`;
  };

  const normaliseField = (key: string, value: unknown): unknown => {
    if (key === 'uid' && typeof value === 'string') return numberOf('uid', value);
    if (key === 'resourceVersion' && typeof value === 'string') return value === '' ? '' : numberOf('version', value);
    if (TIMES.has(key)) return value === null ? null : 'a time';
    if (key === 'continue') return 'a token';
    if (key === 'status' && isObject(value) && !('allowed' in value) && !('selector' in value)) return undefined;
    if (key === 'managedFields' && Array.isArray(value)) return value.map(normalise).sort(byText);
    return normalise(value);
  };

  const normalise = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(normalise);
    if (!isObject(value)) return typeof value === 'string' ? withoutNumbers(value) : value;
    // Why somebody may is RBAC's to say.
    if (value.kind === 'SubjectAccessReview')
      return { allowed: (value.status as { allowed?: boolean }).allowed === true };
    const kept = Object.entries(value)
      .filter(([key]) => !DEFAULTS.has(key) && !DEFAULT_FIELDS.has(key) && !LEFT_OUT.has(key))
      .map(([key, inner]) => [key, normaliseField(key, inner)] as const)
      .filter(([, inner]) => inner !== undefined && inner !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(kept);
  };
  return normalise;
};

/** Messages name versions and uids. */
const withoutNumbers = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
    .replace(/^(too old resource version): \d+ \(\d+\)$/, '$1')
    .replaceAll(/the ResourceVersion in (the precondition|record) \(\d+\)/g, 'the ResourceVersion in $1')
    .replace(/^(Apply failed with 1 conflict: conflict with "[^"]+").*$/s, '$1');

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
