import type { ReleaseName } from '../helm/names.ts';
import type { Policy } from '../policy/policy.ts';
import { findOperation, type OperationState, type ReleaseFacts, type StaleClock } from '../rules/in-flight.ts';
import type { NamespaceFacts } from '../rules/locks.ts';
import type { LiveFacts } from './live-facts.ts';
import type { Policies } from './policies.ts';
import type { ReleaseIndex } from './release-index.ts';
import type { LeaseVersion } from './release-reader.ts';

/** Everything by which a release is judged at one moment: facts, namespaces, policy in force, clock and operation. */
export interface Situation {
  readonly release: ReleaseName;
  readonly facts: ReleaseFacts;
  /** The namespace of the records: its labels choose the policy. Undefined when it is not known. */
  readonly namespace: NamespaceFacts | undefined;
  /** The namespace of the objects, where the records lie in another namespace. */
  readonly home: NamespaceFacts | undefined;
  /** `namespace` and `home`, as far as they are known: a lock on either holds. */
  readonly namespaces: readonly NamespaceFacts[];
  readonly policy: Policy;
  readonly clock: StaleClock;
  readonly operation: OperationState;
}

/** Read from the API server, strongly consistent. */
export interface LiveSituation extends Situation {
  readonly lease: LeaseVersion | undefined;
}

/** The one way to the situation of a release, from memory or live. */
export interface Situations {
  /** `home` names the namespace of the objects. It may be the namespace of the records. */
  fromMemory(release: ReleaseName, home?: string): Situation;
  /** Rejects with ApiError when the facts cannot be read: the caller must not guess. */
  live(release: ReleaseName, signal: AbortSignal, home?: string): Promise<LiveSituation>;
  /** The same situation with the namespace of the objects, which only the payload of a record names. Empty where the payload names none. */
  withHome(situation: LiveSituation, home: string, signal: AbortSignal): Promise<LiveSituation>;
  /** The policy in force, as far as memory knows, for callers that need no facts. */
  policyFromMemory(release: ReleaseName): Policy;
}

export interface SituationSources {
  readonly index: Pick<ReleaseIndex, 'facts' | 'namespace'>;
  readonly live: Pick<LiveFacts, 'release' | 'namespace'>;
  /** Without `refreshed`, the policies in memory are taken as they are. */
  readonly policies: Pick<Policies, 'inForce'> & Partial<Pick<Policies, 'refreshed'>>;
  readonly nowMs: () => number;
}

/** What a situation is put together from. */
export interface SituationParts {
  readonly release: ReleaseName;
  readonly facts: ReleaseFacts;
  readonly namespace: NamespaceFacts | undefined;
  readonly home?: NamespaceFacts | undefined;
  readonly policy: Policy;
  readonly nowMs: number;
}

const NO_NAMESPACES: readonly NamespaceFacts[] = [];

const knownOf = (
  namespace: NamespaceFacts | undefined,
  home: NamespaceFacts | undefined,
): readonly NamespaceFacts[] => {
  if (home === undefined) return namespace === undefined ? NO_NAMESPACES : [namespace];
  return namespace === undefined ? [home] : [namespace, home];
};

/** The one place where facts, policy in force, clock and operation are put together. */
export const toSituation = ({ release, facts, namespace, home, policy, nowMs }: SituationParts): Situation => {
  const clock: StaleClock = { nowMs, staleAfterMs: policy.operations.staleAfterMs };
  return {
    release,
    facts,
    namespace,
    home,
    namespaces: knownOf(namespace, home),
    policy,
    clock,
    operation: findOperation(facts, clock),
  };
};

const isElsewhere = (release: ReleaseName, home: string | undefined): home is string =>
  home !== undefined && home !== '' && home !== release.namespace;

export const createSituations = ({ index, live, policies, nowMs }: SituationSources): Situations => {
  const policyOf = (release: ReleaseName, namespace: NamespaceFacts | undefined): Policy =>
    policies.inForce(release, namespace?.labels ?? {});

  return {
    fromMemory: (release, home) => {
      const namespace = index.namespace(release.namespace);
      return toSituation({
        release,
        facts: index.facts(release),
        namespace,
        home: isElsewhere(release, home) ? index.namespace(home) : undefined,
        policy: policyOf(release, namespace),
        nowMs: nowMs(),
      });
    },

    live: async (release, signal, home) => {
      const [facts, namespace, homeFacts] = await Promise.all([
        live.release(release, signal),
        live.namespace(release.namespace, signal),
        isElsewhere(release, home) ? live.namespace(home, signal) : undefined,
        policies.refreshed?.(),
      ]);
      const parts = { release, facts, namespace, home: homeFacts, policy: policyOf(release, namespace) };
      return { ...toSituation({ ...parts, nowMs: nowMs() }), lease: facts.lease };
    },

    withHome: async (situation, home, signal) => {
      if (!isElsewhere(situation.release, home)) return situation;
      const homeFacts = await live.namespace(home, signal);
      return { ...situation, home: homeFacts, namespaces: knownOf(situation.namespace, homeFacts) };
    },

    policyFromMemory: (release) => policyOf(release, index.namespace(release.namespace)),
  };
};
