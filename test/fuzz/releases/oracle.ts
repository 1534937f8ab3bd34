import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { BELAY } from '../../memory/belay.ts';
import type { Clock } from '../../memory/clock.ts';
import type { Change } from '../../memory/store.ts';
import {
  freezeEndMs,
  isUnfinishedStatus,
  type Moment,
  type Promised,
  type ReleaseView,
  type Rules,
  type UnfinishedOperation,
  type Verb,
} from './moment.ts';
import { promisedLocks, promisedRights } from './promised-locks.ts';
import { promisedObjects } from './promised-objects.ts';
import { promisedOneAtATime, promisedRecords } from './promised-records.ts';
import { keyOf, keyOfObject, revisionsIn, type Stored } from './stored.ts';

export interface Oracle {
  /** Tells of every change of what is stored. */
  see(change: Change): void;
  /** Tells that this user asked something, whatever the answer. */
  heard(username: string): void;
  /** What was broken so far, in words. */
  readonly broken: readonly string[];
  readonly stored: () => Stored;
}

export interface OracleOptions {
  readonly clock: Clock;
  readonly namespace: string;
  readonly releases: readonly string[];
  readonly staleAfterMs: number;
  readonly may: (username: string, verb: Verb, release: string) => boolean;
}

const PROMISED: readonly Promised[] = [
  promisedRecords,
  promisedObjects,
  promisedOneAtATime,
  promisedLocks,
  promisedRights,
];

interface Begun {
  readonly by: string;
  readonly heardMs: number;
}

interface PolicySpec {
  readonly operations?: { readonly action?: string };
  readonly drift?: { readonly action?: string };
  readonly freeze?: { readonly action?: string; readonly reason?: string };
}

const policyIn = (stored: Stored): PolicySpec =>
  (stored.get(keyOf('ReleasePolicy', '', 'house'))?.spec ?? {}) as PolicySpec;

const isEnforced = (rule: { readonly action?: string } | undefined): boolean => (rule?.action ?? 'Deny') === 'Deny';

/**
 * Watches what is stored, and judges each change by what Belay promises (docs/design.md#what-it-promises). It knows nothing of reviews, claims
 * and rules: who wrote, what was there before and what is there now is all that it goes by.
 */
export const createOracle = ({ clock, namespace, releases, staleAfterMs, may }: OracleOptions): Oracle => {
  let stored: Stored = new Map();
  const broken: string[] = [];
  const begun = new Map<string, Begun>();
  const lastAsked = new Map<string, number>();
  /** The kind of the record that was there first, while there is one of that kind. */
  const kinds = new Map<string, string>();

  const silenceMs = (release: string): number => {
    const spec = stored.get(keyOf('Lease', namespace, `belay.${release}`))?.spec;
    const { leaseDurationSeconds = Number.POSITIVE_INFINITY } = (spec ?? {}) as { leaseDurationSeconds?: number };
    return Math.min(staleAfterMs, leaseDurationSeconds * 1000);
  };

  const operationOf = (release: string, revisions: ReleaseView['revisions']): UnfinishedOperation | undefined => {
    const record = revisions.at(-1);
    if (record === undefined || !isUnfinishedStatus(record.status)) return undefined;
    const { by, heardMs = 0 } = begun.get(record.key) ?? {};
    const isBroken = record.annotations['belay.dev/break'] !== undefined;
    const askedMs = by === undefined ? clock.nowMs() : (lastAsked.get(by) ?? 0);
    return {
      record,
      by,
      isAlive: !isBroken && clock.nowMs() - heardMs < silenceMs(release),
      mayBeAlive: !isBroken && clock.nowMs() - askedMs < staleAfterMs,
    };
  };

  const viewOf = (release: string, from: Stored): ReleaseView => {
    const all = revisionsIn(from, namespace, release);
    const kind = all.some((record) => record.kind === kinds.get(release)) ? kinds.get(release) : all[0]?.kind;
    const revisions = all.filter((record) => record.kind === kind);
    const policy = policyIn(from);
    const view: ReleaseView = {
      revisions,
      namespace: from.get(keyOf('Namespace', '', namespace)),
      stored: from,
      isFrozen: false,
      operation: operationOf(release, revisions),
    };
    const isFrozen =
      revisions.length > 0 &&
      isEnforced(policy.freeze) &&
      (freezeEndMs(view, clock.nowMs()) !== undefined || policy.freeze?.reason !== undefined);
    return { ...view, isFrozen };
  };

  const rulesIn = (from: Stored): Rules => {
    const { freeze, operations, drift } = policyIn(from);
    return { freezes: isEnforced(freeze), operations: isEnforced(operations), drift: isEnforced(drift) };
  };

  /** Who began what, and was heard of last. */
  const remember = (release: string, change: Change, before: ReleaseView, after: ReleaseView): void => {
    for (const { key, status } of after.revisions) {
      const old = before.revisions.find((record) => record.key === key);
      if (!isUnfinishedStatus(status)) begun.delete(key);
      else if (old?.status !== status) begun.set(key, { by: change.username, heardMs: clock.nowMs() });
      else {
        const known = begun.get(key);
        const isLease = change.after?.metadata?.name === `belay.${release}`;
        const isOwn = change.after !== undefined && (isLease || keyOfObject(change.after) === key);
        if (known?.by === change.username && isOwn) begun.set(key, { ...known, heardMs: clock.nowMs() });
      }
    }
    const [first] = after.revisions;
    if (first === undefined) kinds.delete(release);
    else kinds.set(release, first.kind);
  };

  const withChange = ({ before, after }: Change): Stored => {
    const next = new Map(stored);
    if (after === undefined) next.delete(keyOfObject(before as KubernetesObject));
    else next.set(keyOfObject(after), after);
    return next;
  };

  return {
    broken,
    stored: () => stored,
    heard: (username) => {
      lastAsked.set(username, clock.nowMs());
    },
    see: (change) => {
      const next = withChange(change);
      const { username } = change;
      for (const release of releases) {
        const before = viewOf(release, stored);
        const after = viewOf(release, next);
        if (username !== BELAY.user.username) {
          const moment: Moment = {
            release,
            change,
            nowMs: clock.nowMs(),
            rules: rulesIn(stored),
            before,
            after,
            may: (verb, of) => may(username, verb, of),
          };
          for (const promised of PROMISED) {
            broken.push(...promised(moment).map((what) => `release ${release}: ${what} (written by ${username})`));
          }
        }
        remember(release, change, before, after);
      }
      stored = next;
    },
  };
};
