import type { Logger } from 'pino';
import type { ReleaseName } from '../helm/names.ts';
import type { Intervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import type { ReflectorSink } from '../kubernetes/mirror.ts';
import type { ReflectedObject } from '../kubernetes/object.ts';
import { createReflector } from '../kubernetes/reflector.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { builtInPolicy, policyInForce } from '../policy/policy-in-force.ts';
import { escapeText } from '../text/escape.ts';
import type { CountedReleases } from './count-releases.ts';
import { POLICIES_PATH } from './policy-status.ts';
import { createPolicyStatusWriter } from './policy-status-writer.ts';
import { readStoredPolicy, type StoredPolicy } from './stored-policy.ts';

/** The ReleasePolicies of the cluster, in memory. Before the first list, and without any, the built-in defaults hold. */
export interface Policies {
  /** The policy in force for a release, from memory: each review asks. */
  inForce(release: ReleaseName, namespaceLabels: Readonly<Record<string, string>>): Policy;
  /** Every policy that may be in force somewhere. Of a policy whose newest version cannot be read, it is the version before. */
  all(): readonly Policy[];
  /** True once all policies have been listed, or the CRD is known not to be installed. */
  isSynced(): boolean;
  /** For how long a change may have been missed; 0 while the watch is open and lives. */
  staleMs(): number;
  /** Undefined while memory is fresh. Otherwise lists all policies anew, and rejects when they cannot be listed. */
  refreshed(): Promise<void> | undefined;
  /** Watches the policies and writes their status. Ends when the signal fires. */
  run(signal: AbortSignal): Promise<void>;
}

export interface PoliciesOptions {
  readonly api: Api;
  /** The releases that `status.matchedReleases` counts, and the labels by which a policy chooses namespaces. */
  readonly index: CountedReleases & {
    namespace(name: string): { readonly labels: Readonly<Record<string, string>> } | undefined;
  };
  readonly log: Logger;
  readonly intervals: Pick<Intervals, 'mirrors' | 'policyStatus'>;
  readonly nowMs: () => number;
  /** For the built-in policy, and for every policy that does not set its own. */
  readonly staleAfterMs: number;
}

export const createPolicies = (options: PoliciesOptions): Policies => {
  const { api, index, log, intervals, nowMs, staleAfterMs } = options;
  const builtIn = builtInPolicy(staleAfterMs);
  const memory = createPolicyMemory(log, staleAfterMs, () => writer.wake());

  const inForce: Policies['inForce'] = (release, namespaceLabels) => {
    const policies = memory.accepted();
    return policies.length === 0 ? builtIn : policyInForce(policies, release, namespaceLabels, builtIn);
  };

  const writer = createPolicyStatusWriter({
    api,
    log,
    intervals: intervals.policyStatus,
    nowMs,
    index,
    stored: memory.stored,
    inForce: (release) => inForce(release, index.namespace(release.namespace)?.labels ?? {}),
  });

  const reflector = createReflector(
    api,
    // Without the CRD the built-in defaults hold, and Belay need not be restarted when the CRD comes.
    { path: POLICIES_PATH, whole: true, optional: true },
    memory.sink,
    log,
    { intervals: intervals.mirrors },
  );

  return {
    inForce,
    all: memory.accepted,
    isSynced: reflector.isSynced,
    staleMs: reflector.staleMs,
    refreshed: () => (reflector.staleMs() < intervals.mirrors.staleAfterMs ? undefined : reflector.refresh()),
    run: async (signal) => {
      await Promise.all([reflector.run(signal), writer.run(signal)]);
    },
  };
};

/** The policies as the watch tells them. `onChange` is called after each change. */
const createPolicyMemory = (log: Logger, staleAfterMs: number, onChange: () => void) => {
  const stored = new Map<string, StoredPolicy>();
  let accepted: readonly Policy[] = [];

  const read = (object: ReflectedObject): void => {
    const known = stored.get(nameOf(object));
    const now = readStoredPolicy(object, known, (text) => parsePolicy(text, { staleAfterMs }));
    stored.set(now.name, now);
    if (known?.uid !== now.uid || known.generation !== now.generation) logVersion(log, now);
  };
  const changed = (): void => {
    accepted = [...stored.values()].flatMap((policy) => policy.accepted?.policy ?? []);
    onChange();
  };
  const sink: ReflectorSink<ReflectedObject> = {
    read: (object) => object,
    replace: (objects) => {
      const names = new Set(objects.map(nameOf));
      for (const name of stored.keys()) if (!names.has(name)) stored.delete(name);
      for (const object of objects) read(object);
      changed();
    },
    upsert: (object) => {
      read(object);
      changed();
    },
    remove: (object) => {
      stored.delete(nameOf(object));
      log.info({ policy: nameOf(object) }, 'a policy has gone');
      changed();
    },
  };
  return { sink, stored: (): readonly StoredPolicy[] => [...stored.values()], accepted: () => accepted };
};

const nameOf = (object: ReflectedObject): string => object.metadata?.name ?? '';

const logVersion = (log: Logger, { name, generation, problems, accepted }: StoredPolicy): void => {
  if (problems.length === 0) {
    log.info({ policy: name, generation }, 'a policy is in force');
    return;
  }
  log.warn(
    {
      policy: name,
      generation,
      inForce: accepted?.generation,
      problems: problems.slice(0, 10).map(({ field, problem }) => escapeText(`${field}: ${problem}`)),
    },
    'a policy cannot be read and is ignored',
  );
};
