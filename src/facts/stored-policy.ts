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

/** A ReleasePolicy as the API server last told of it, and what became of it. */
export interface StoredPolicy {
  readonly object: ReflectedObject;
  readonly uid: string;
  readonly name: string;
  readonly generation: number;
  /** Empty when this version can be read, and so is in force. */
  readonly problems: readonly PolicyProblem[];
  /** What is in force: this version, else the newest that could be read; undefined when none is known. */
  readonly accepted: AcceptedVersion | undefined;
}

type Parse = (object: { readonly metadata: { readonly name: string }; readonly spec: unknown }) => ParsedPolicy;

/**
 * Reads a policy anew. A version that cannot be read changes nothing: the one before it stays. That one is known from memory and, for a
 * Belay that was away when the broken one got in, from `status.accepted`; so every replica comes to the same answer.
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
  if (before?.generation === generation && isDeepStrictEqual(before.spec, object.spec))
    return { ...stored, problems: [], accepted: before };
  const parsed = parse({ metadata: { name }, spec: object.spec });
  if (parsed.ok) return { ...stored, problems: [], accepted: { generation, spec: object.spec, policy: parsed.policy } };
  return { ...stored, problems: parsed.problems, accepted: newerOf(before, readAccepted(stored, parse)) };
};

const newerOf = (a: AcceptedVersion | undefined, b: AcceptedVersion | undefined): AcceptedVersion | undefined =>
  a === undefined || (b !== undefined && b.generation > a.generation) ? b : a;

const readAccepted = (
  { object, name, generation }: Pick<StoredPolicy, 'object' | 'name' | 'generation'>,
  parse: Parse,
): AcceptedVersion | undefined => {
  const { accepted } = (object.status ?? {}) as { accepted?: { generation?: unknown; spec?: unknown } };
  if (typeof accepted?.generation !== 'number' || accepted.generation >= generation) return undefined;
  const parsed = parse({ metadata: { name }, spec: accepted.spec });
  return parsed.ok ? { generation: accepted.generation, spec: accepted.spec, policy: parsed.policy } : undefined;
};
