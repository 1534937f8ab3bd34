import { helmHistory } from '../../admission/explain/commands.ts';
import { showInFlight } from '../../admission/explain/explanation.ts';
import type { Freeze } from '../../policy/lock.ts';
import { showDuration, showTime, showWhen } from '../../text/when.ts';
import { showIdentity } from './identity.ts';
import type { Holder, LeaseTarget } from './lock-lease.ts';
import type { ReleaseCondition } from './release-condition.ts';

/** Messages to a waiting user. They contain names and reasons of others, which progress.ts escapes. */

const showPlace = (ahead: number): string => (ahead === 0 ? 'this is next' : `${ahead} before this`);

/** `release web is held by ann@ci pid 7 (upgrade since 12:00:00Z); 2 before this` */
export const showHolder = ({ release }: LeaseTarget, holder: Holder | undefined, ahead: number): string => {
  if (holder === undefined) return `release ${release} is about to be taken; ${showPlace(ahead)}`;
  const since = Number.isNaN(holder.sinceMs) ? '' : ` since ${showTime(holder.sinceMs)}`;
  return `release ${release} is held by ${showIdentity(holder.id)} (${holder.operation}${since}); ${showPlace(ahead)}`;
};

export const showWork = (
  { release }: LeaseTarget,
  { by, freeInMs }: Extract<ReleaseCondition, { at: 'work' }>,
): string => {
  const until =
    freeInMs === undefined
      ? ''
      : `; whoever began it has vanished, and unless it moves it counts as dead in ${showDuration(Math.ceil(freeInMs / 30_000) * 30_000)}`;
  return `release ${release} is at work: ${showInFlight(by).replace(/ by unknown \(.*\)$/, '')} since ${showTime(by.sinceMs)}${until}`;
};

export const showTimeout = (
  { namespace, release }: LeaseTarget,
  timeoutMs: number,
  last: string,
  isAlone: boolean,
): string => {
  const hint = isAlone
    ? `\nnothing in the cluster tells whether that is alive; if it is dead, bring the release back by hand: ${helmHistory({ namespace, name: release })}`
    : '';
  return `gave up after ${showDuration(timeoutMs)} (--lock-timeout): ${last || `release ${release} is not free`}${hint}`;
};

export const showFreeze = ({ release }: LeaseTarget, { reason, by, untilMs }: Freeze, nowMs: number): string =>
  `release ${release} is frozen${by === undefined ? '' : ` by ${by}`}${untilMs === undefined ? '' : ` until ${showWhen(untilMs, nowMs)}`}: ${reason || '(no reason)'}`;
