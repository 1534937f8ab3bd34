import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Events } from '../events/events.ts';
import type { LiveFacts } from '../facts/live-facts.ts';
import type { Manifests } from '../facts/manifests.ts';
import type { Policies } from '../facts/policies.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { ReleaseName } from '../helm/names.ts';
import { createAlarm } from '../kubernetes/alarm.ts';
import type { Api } from '../kubernetes/api.ts';
import { createKinds } from '../kubernetes/kinds.ts';
import type { Policy } from '../policy/policy.ts';
import { showName } from '../text/escape.ts';
import { showReason } from './describe-drift.ts';
import { driftDetected, driftRepaired, driftRepairFailed, driftResolved } from './drift-events.ts';
import { type FindDependencies, findReleaseDrift, judgedBy } from './find-release-drift.ts';
import type { CheckedRelease, ObjectDrift, ReleaseDrift } from './findings.ts';
import { createKnownDrift, TELL_AGAIN_MS } from './known-drift.ts';
import { createRepairHistory, MAX_REPAIRS } from './repair-history.ts';
import { type LiveSituation, type RepairOutcome, repairRelease } from './repair-release.ts';
import { createRights } from './rights.ts';
import { createSweepPlan, type Rhythm } from './sweep-plan.ts';
import { createSweepStats, type SweepStats } from './sweep-stats.ts';

/** Goes through all releases, tells of drift, and repairs it where the policy says so. */
export interface Sweep {
  /** Looks at a release soon, because something has changed there. */
  recheck(release: ReleaseName): void;
  /** Resolves when Belay has the right to sweep, or when the signal fires. */
  waitForRight(signal: AbortSignal): Promise<void>;
  /** The work of the elected replica; ends when the signal fires. */
  lead(signal: AbortSignal): Promise<void>;
  stats(): SweepStats;
}

/** Everything in here that asks the API server is to go through the one `api` that sets the pace. */
export interface SweepOptions {
  readonly api: Api;
  readonly index: ReleaseIndex;
  readonly live: LiveFacts;
  /** Not those of the reviews: what they need would be pushed out. */
  readonly manifests: Pick<Manifests, 'of'>;
  readonly policies: Pick<Policies, 'inForce' | 'isSynced'>;
  readonly events: Pick<Events, 'note'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** Releases at once: enough to keep that pace while an answer takes 80 ms. */
const WORKERS = 8;

/** An admitted write is stored after the other webhooks have answered as well, and those after it come soon. */
const SETTLE_MS = 3_000;
const LOOK_EVERY_MS = 2_000;
/** Until an operation that came in between is over; if it is not, then the same again. */
const OVERTAKEN_MS = 10_000;
const FAILED_MS = 60_000;
const ASK_EVERY_MS = 30_000;

/** Kinds that cannot be looked at, told in the log once each: a manifest may name any. */
const MAX_TOLD = 100;

/** A name may be in thousands of namespaces; those that are left out come round anyway. */
const MAX_STORES = 10;

/** By uid, resourceVersion and revision: 20,000 objects, a fifth of what 10,000 releases have, at some 300 bytes each. */
const MAX_CLEAN = 20_000;

const identityOf = ({ object: { group, kind, namespace, name } }: ObjectDrift): string =>
  JSON.stringify([group, kind, namespace, name]);

export const createSweep = (options: SweepOptions): Sweep => {
  const { api, index, live, manifests, policies, events, log, nowMs } = options;
  const dependencies: FindDependencies = {
    api,
    kinds: createKinds(api, nowMs),
    rights: createRights(nowMs),
    clean: new LRUCache<string, readonly string[]>({ max: MAX_CLEAN }),
    manifests,
    nowMs,
    atOnce: 1,
  };
  const plan = createSweepPlan(nowMs);
  const known = createKnownDrift();
  const history = createRepairHistory();
  const toldOfFightAtMs = new LRUCache<string, number>({ max: MAX_CLEAN });
  const stats = createSweepStats(known, plan);
  const alarm = createAlarm();
  const toldForbidden = new Set<string>();

  const policyOf = (release: ReleaseName): Policy =>
    policies.inForce(release, index.namespace(release.namespace)?.labels ?? {});

  const situation = async (release: ReleaseName, signal: AbortSignal): Promise<LiveSituation> => {
    const [facts, namespace] = await Promise.all([
      live.release(release, signal),
      live.namespace(release.namespace, signal),
    ]);
    return {
      facts,
      policy: policies.inForce(release, namespace?.labels ?? {}),
      namespaces: namespace === undefined ? [] : [namespace],
    };
  };

  /** Memory may lag behind an operation that has begun or ended meanwhile: nothing is told before the facts have been read live. */
  const isStillJudgedBy = async ({ release, governing }: CheckedRelease, signal: AbortSignal): Promise<boolean> => {
    const judged = judgedBy(await situation(release, signal), nowMs());
    return 'governing' in judged && judged.governing.uid === governing.uid;
  };

  const tell = (checked: CheckedRelease): void => {
    const { release, drifted } = checked;
    for (const { object, why, detail } of checked.unchecked) {
      stats.countUnchecked(why);
      const what = `${why} ${object.group}/${object.kind}`;
      if (why === 'failed' || toldForbidden.has(what) || toldForbidden.size >= MAX_TOLD) continue;
      toldForbidden.add(what);
      log.warn(
        { why, kind: showName(object.kind), detail: showReason(detail) },
        'the sweep cannot look at objects of a kind',
      );
    }
    if (drifted.length === 0) {
      if (known.forget(release)) events.note(driftResolved(checked));
      return;
    }
    const news = known.note(release, drifted, nowMs());
    for (const event of driftDetected(checked, news)) events.note(event);
    if (news.length > 0) {
      log.info(
        { namespace: release.namespace, release: release.name, objects: drifted.length, new: news.length },
        'drift',
      );
    }
  };

  const noteOutcome = (checked: CheckedRelease, drift: ObjectDrift, outcome: RepairOutcome): void => {
    const { release } = checked;
    const object = identityOf(drift);
    stats.countRepair(outcome.done);
    const line = {
      namespace: release.namespace,
      release: release.name,
      kind: showName(drift.object.kind),
      name: showName(drift.object.name),
    };
    switch (outcome.done) {
      case 'nothing':
        log.debug({ ...line, why: showReason(outcome.why) }, 'not repaired');
        return;
      case 'overtaken':
        plan.recheck(release, OVERTAKEN_MS);
        return;
      case 'failed':
        history.noteFailed(object, nowMs());
        events.note(driftRepairFailed(checked, drift, outcome.why));
        log.warn({ ...line, why: showReason(outcome.why) }, 'repair failed');
        return;
      default:
        history.noteRepaired(object, nowMs());
        events.note(driftRepaired(checked, drift, outcome.done));
        log.info({ ...line, done: outcome.done }, 'repaired');
        plan.recheck(release, SETTLE_MS);
    }
  };

  /** Without those that somebody keeps changing: that is told, and left to people. */
  const worthRepairing = (checked: CheckedRelease, prune: boolean): readonly ObjectDrift[] =>
    checked.drifted.filter((drift) => {
      if (drift.problem === 'unmarked' || (drift.problem === 'added' && !prune)) return false;
      const object = identityOf(drift);
      const may = history.mayRepair(object, nowMs());
      if (may === 'fight' && nowMs() - (toldOfFightAtMs.get(object) ?? Number.NEGATIVE_INFINITY) >= TELL_AGAIN_MS) {
        toldOfFightAtMs.set(object, nowMs());
        stats.countRepair('fight');
        const why = `somebody keeps changing it, after ${MAX_REPAIRS} repairs within an hour it is left alone`;
        events.note(driftRepairFailed(checked, drift, why));
      }
      return may === 'yes';
    });

  const repair = async (checked: CheckedRelease, policy: Policy, signal: AbortSignal): Promise<void> => {
    const { action, prune } = policy.drift.repair;
    if (action !== 'Apply') return;
    const drifted = worthRepairing(checked, prune);
    if (drifted.length === 0) return;
    const tools = { api, kinds: dependencies.kinds, situation, nowMs };
    const how = { prune, dryRun: false, unattended: true };
    await repairRelease(tools, checked, how, signal, (drift, outcome) => noteOutcome(checked, drift, outcome), drifted);
  };

  const look = async (release: ReleaseName, signal: AbortSignal): Promise<void> => {
    const policy = policyOf(release);
    const isEnding = index.namespace(release.namespace)?.terminating === true;
    const found: ReleaseDrift = isEnding
      ? { checked: false, release, why: 'namespace is terminating' }
      : policy.drift.action === 'Off'
        ? { checked: false, release, why: 'policy says Off' }
        : await findReleaseDrift(dependencies, release, { facts: index.facts(release), policy }, signal);
    if (!found.checked) {
      stats.countRelease(found.why);
      log.debug({ namespace: release.namespace, release: release.name, why: found.why }, 'not swept');
      // While an operation is in flight, what was known stays so until it is over.
      if (found.why === 'operation in flight') plan.recheck(release, OVERTAKEN_MS);
      else known.forget(release);
      return;
    }
    stats.countObjects(found.listed);
    if (found.drifted.length > 0 && !(await isStillJudgedBy(found, signal))) {
      plan.recheck(release, OVERTAKEN_MS);
      return;
    }
    stats.countRelease('checked');
    tell(found);
    await repair(found, policy, signal);
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    for (let release = plan.next(); release !== undefined && !signal.aborted; release = plan.next()) {
      try {
        await look(release, signal);
      } catch (error) {
        if (signal.aborted) return;
        stats.countRelease('failed');
        plan.recheck(release, FAILED_MS);
        const { namespace, name } = release;
        log.warn({ namespace, release: name, err: showReason((error as Error).message) }, 'a release was not swept');
      }
    }
  };

  /** The switch is a right: manifests/overlays/drift grants `sweep`, together with what it takes to read objects. */
  const mayISweep = async (signal: AbortSignal): Promise<boolean> => {
    const answer = await api.request<{ status?: { allowed?: boolean } }>({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { group: 'belay.dev', resource: 'releases', verb: 'sweep' } },
      },
      signal,
    });
    return answer.status?.allowed === true;
  };

  const waitForRight = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const may = await mayISweep(signal);
        if (may !== stats.read().enabled)
          log.info({ enabled: may }, may ? 'the sweep begins' : 'no sweep: manifests/overlays/drift is not applied');
        stats.setEnabled(may);
        if (may) return;
      } catch (error) {
        if (!signal.aborted) log.warn({ err: (error as Error).message }, 'whether Belay may sweep is not known');
      }
      await alarm.wait(ASK_EVERY_MS, signal);
    }
  };

  /** Objects name their own namespace; the records may lie in another one. */
  const storesOf = (release: ReleaseName): readonly ReleaseName[] =>
    index.isElsewhere(release)
      ? [...index.namespacesOf(release.name)].slice(0, MAX_STORES).map((namespace) => ({ ...release, namespace }))
      : [release];

  const isReady = (): boolean => index.isSynced() && policies.isSynced();

  const rhythmOf = (release: ReleaseName): Rhythm | undefined => {
    const policy = policyOf(release);
    const isLeftAlone = policy.drift.action === 'Off' && !known.has(release);
    return isLeftAlone ? undefined : { everyMs: policy.drift.repair.intervalMs, policy };
  };

  // What ends drift by a new revision should not be told of for an interval.
  index.onChange((release) => {
    if (stats.read().leading && known.has(release)) plan.recheck(release, SETTLE_MS);
  });

  return {
    recheck: (release) => {
      for (const store of storesOf(release)) plan.recheck(store, SETTLE_MS);
    },
    stats: () => stats.read(),
    waitForRight,
    lead: async (signal) => {
      plan.reset();
      stats.setLeading(true);
      let askedAtMs = Number.NEGATIVE_INFINITY;
      try {
        while (!signal.aborted) {
          if (nowMs() - askedAtMs >= ASK_EVERY_MS) {
            await waitForRight(signal);
            askedAtMs = nowMs();
          }
          if (isReady() && !signal.aborted) {
            plan.refill(index.releases(), rhythmOf);
            known.keepOnly((release) => index.facts(release).records.length > 0);
            await stats.timePass(() => Promise.all(Array.from({ length: WORKERS }, () => work(signal))));
          }
          await alarm.wait(LOOK_EVERY_MS, signal);
        }
      } finally {
        stats.setLeading(false);
        known.clear();
      }
    },
  };
};
