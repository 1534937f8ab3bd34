import { isDeepStrictEqual } from 'node:util';
import type { ReflectedObject } from '../kubernetes/object.ts';
import type { ParsedPolicy, PolicyProblem } from '../policy/parse-policy.ts';
import type { Policy } from '../policy/policy.ts';

/** A version of a policy that could be read. */
export interface AcceptedVersion {
  /** `metadata.generation` counts the versions of `spec`. */
  readonly generation: number;
  readonly spec: unknown;
  readonly policy: Policy;
}

/** A ReleasePolicy as the API server has sent it last, and how it was read. */
export interface StoredPolicy {
  readonly object: ReflectedObject;
  readonly uid: string;
  readonly name: string;
  readonly generation: number;
  /** Empty when this version can be read, and so is in force. */
  readonly problems: readonly PolicyProblem[];
  /**
   * The version in force: this one, else the newest one that could be read; undefined when none is known. A version that an older Belay accepted
   * stays in force when its range of chart versions is all that cannot be read any more: no chart version is inside that range.
   */
  readonly accepted: AcceptedVersion | undefined;
}

type Parse = (object: { readonly metadata: { readonly name: string }; readonly spec: unknown }) => ParsedPolicy;

/**
 * Reads a policy anew. A version that cannot be read changes nothing: the version before it stays in force. Memory has that version. A Belay
 * that was not running when the broken version was stored finds it in `status.accepted`. So every replica comes to the same answer.
 */
export const readStoredPolicy = (
  object: ReflectedObject,
  known: StoredPolicy | undefined,
  parse: Parse,
): StoredPolicy => {
  const { uid = '', name = '', generation: counted } = object.metadata ?? {};
  const generation = typeof counted === 'number' ? counted : 0;
  const stored = { object, uid, name, generation };
  const before = known?.uid === uid ? known.accepted : undefined;
  // Most events are Belay's own writes of the status.
  if (before?.generation === generation && known !== undefined && isDeepStrictEqual(before.spec, object.spec))
    return { ...stored, problems: known.problems, accepted: before };
  const parsed = parse({ metadata: { name }, spec: object.spec });
  if (parsed.ok) return { ...stored, problems: [], accepted: { generation, spec: object.spec, policy: parsed.policy } };
  const { problems } = parsed;
  const accepted = newerOf(before, readAccepted(stored, parse)) ?? readWithoutRange(stored, problems, parse);
  return { ...stored, problems, accepted };
};

const RANGE_FIELD = 'spec.versions.range';

/**
 * 0.1.0 read ranges by another dialect, and accepted some that are refused today. Without this, such a policy would be dropped as a whole,
 * its freezes with it. The range stays as it was written: a range that cannot be read allows no version (rules/versions.ts).
 */
const readWithoutRange = (
  { object, name, generation }: Pick<StoredPolicy, 'object' | 'name' | 'generation'>,
  problems: readonly PolicyProblem[],
  parse: Parse,
): AcceptedVersion | undefined => {
  if (acceptedIn(object)?.generation !== generation) return undefined;
  const spec = object.spec as { readonly versions?: { readonly range?: unknown } } | undefined;
  const range = spec?.versions?.range;
  if (typeof range !== 'string' || problems.some(({ field }) => field !== RANGE_FIELD)) return undefined;
  const { range: _, ...versions } = spec?.versions ?? {};
  const parsed = parse({ metadata: { name }, spec: { ...spec, versions } });
  if (!parsed.ok) return undefined;
  const policy: Policy = { ...parsed.policy, versions: { ...parsed.policy.versions, range } };
  return { generation, spec: object.spec, policy };
};

const newerOf = (a: AcceptedVersion | undefined, b: AcceptedVersion | undefined): AcceptedVersion | undefined =>
  a === undefined || (b !== undefined && b.generation > a.generation) ? b : a;

const acceptedIn = ({ status }: ReflectedObject): { generation?: unknown; spec?: unknown } | undefined =>
  ((status ?? {}) as { accepted?: { generation?: unknown; spec?: unknown } }).accepted;

const readAccepted = (
  { object, name, generation }: Pick<StoredPolicy, 'object' | 'name' | 'generation'>,
  parse: Parse,
): AcceptedVersion | undefined => {
  const accepted = acceptedIn(object);
  if (typeof accepted?.generation !== 'number' || accepted.generation >= generation) return undefined;
  const parsed = parse({ metadata: { name }, spec: accepted.spec });
  return parsed.ok ? { generation: accepted.generation, spec: accepted.spec, policy: parsed.policy } : undefined;
};
