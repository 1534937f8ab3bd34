import leven from 'leven';
import { MAX_RANGE_LENGTH, parseRange } from '../helm/chart-range.ts';
import { LOCK_PREFIX } from '../helm/record.ts';
import type { LockSource, LockVerb } from './lock.ts';
import {
  type Annotations,
  BREAK,
  FREEZE,
  FREEZE_BY,
  FREEZE_UNTIL,
  MAX_OPEN_MS,
  NO_DOWNGRADE,
  OPEN,
  OPEN_UNTIL,
  PIN,
  parseTime,
} from './lock-annotations.ts';

/** Keys that a person may write; FREEZE_BY is Belay's own. */
const KEYS = [FREEZE, FREEZE_UNTIL, PIN, NO_DOWNGRADE, OPEN, OPEN_UNTIL, BREAK] as const;

/** Longest reason that is taken: it is shown in every denial, and API server warnings are cut at 4 KiB. */
const MAX_REASON_LENGTH = 512;

export interface LockProblem {
  readonly annotation: string;
  readonly problem: string;
  readonly remedy: string;
}

const example = (nowMs: number): string => `${new Date(nowMs + 3_600_000).toISOString().slice(0, 19)}Z`;

const checkReason = (annotation: string, value: string): LockProblem | undefined => {
  if (value.trim() === '') {
    return { annotation, problem: 'has no reason', remedy: `write why: ${annotation}="black friday, ask #sre"` };
  }
  if (value.length > MAX_REASON_LENGTH) {
    return { annotation, problem: `is longer than ${MAX_REASON_LENGTH} characters`, remedy: 'write a shorter reason' };
  }
  return undefined;
};

const checkTime = (annotation: string, value: string, nowMs: number): LockProblem | undefined => {
  const remedy = `write a time to come, in RFC 3339: ${annotation}=${example(nowMs)}`;
  const ms = parseTime(value);
  if (ms === undefined) return { annotation, problem: 'is not an RFC 3339 time', remedy };
  return ms <= nowMs ? { annotation, problem: 'lies in the past', remedy } : undefined;
};

const checkOpenUntil = (annotation: string, value: string, nowMs: number): LockProblem | undefined => {
  const problem = checkTime(annotation, value, nowMs);
  if (problem !== undefined || (parseTime(value) ?? 0) <= nowMs + MAX_OPEN_MS) return problem;
  const remedy = `write a time within the next ${MAX_OPEN_MS / 3_600_000} hours: ${annotation}=${example(nowMs)}`;
  return { annotation, problem: 'lies too far ahead', remedy };
};

const unknownKey = (annotation: string): LockProblem => {
  const nearest = KEYS.map((key) => ({ key, distance: leven(key, annotation) })).sort(
    (a, b) => a.distance - b.distance,
  )[0];
  const known = KEYS.join(', ');
  return {
    annotation,
    problem: 'is no annotation that Belay knows',
    remedy: nearest !== undefined && nearest.distance <= 4 ? `did you mean ${nearest.key}?` : `known are: ${known}`,
  };
};

export interface LockChange {
  /** Keys that were added, changed or removed; FREEZE_BY is not among them. */
  readonly keys: readonly string[];
  readonly verbs: readonly LockVerb[];
  readonly problems: readonly LockProblem[];
}

const isLockKey = (key: string): boolean => key.startsWith(LOCK_PREFIX) && key !== FREEZE_BY;

/**
 * What a write does to the locks of one record or Namespace: which verbs on `releases.belay.dev` it takes, and what is
 * wrong with its values. Whatever makes a lock weaker takes `unlock`, whatever makes it stronger takes `lock`.
 */
export const judgeLockChange = (
  before: Annotations,
  after: Annotations,
  nowMs: number,
  source: LockSource,
): LockChange => {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => isLockKey(key) && before[key] !== after[key],
  );
  const verbs = new Set<LockVerb>();
  const problems: LockProblem[] = [];
  const report = (problem: LockProblem | undefined): void => {
    if (problem !== undefined) problems.push(problem);
  };

  for (const key of keys) {
    const value = after[key];
    if (key === FREEZE) {
      verbs.add(value === undefined ? 'unlock' : 'lock');
      if (value !== undefined) report(checkReason(key, value));
    } else if (key === FREEZE_UNTIL) {
      verbs.add(untilVerb(before, after));
      if (value !== undefined) report(checkTime(key, value, nowMs));
      if (value !== undefined && after[FREEZE] === undefined) {
        report({
          annotation: key,
          problem: `stands without ${FREEZE}`,
          remedy: `write the reason as well: ${FREEZE}="..."`,
        });
      }
    } else if (key === OPEN || key === OPEN_UNTIL) {
      verbs.add(value === undefined && after[OPEN] === undefined ? 'lock' : 'open');
      if (value !== undefined) report(key === OPEN ? checkReason(key, value) : checkOpenUntil(key, value, nowMs));
    } else if (key === BREAK) {
      verbs.add(value === undefined ? 'lock' : 'break');
      if (value !== undefined) report(checkReason(key, value));
      if (value !== undefined && source.kind === 'Namespace') {
        report({
          annotation: key,
          problem: 'stands on a Namespace',
          remedy: 'write it on the pending record that is to be declared dead',
        });
      }
    } else if (key === PIN) {
      // Another range may be narrower or wider: to change a pin takes what lifting it and setting it take.
      if (before[key] !== undefined) verbs.add('unlock');
      if (value !== undefined) verbs.add('lock');
      if (value !== undefined && value.length > MAX_RANGE_LENGTH) {
        const problem = `is longer than ${MAX_RANGE_LENGTH} characters`;
        report({ annotation: key, problem, remedy: `write a shorter range: ${key}=">=1.2 <2"` });
      } else if (value !== undefined && parseRange(value) === undefined) {
        const remedy = `write versions or a range of them: ${key}=1.4.2, ${key}=1.4.x, ${key}=">=1.2 <2"`;
        report({ annotation: key, problem: 'is not a SemVer range', remedy });
      }
    } else if (key === NO_DOWNGRADE) {
      verbs.add(value === undefined ? 'unlock' : 'lock');
      if (value !== undefined && value !== 'true') {
        report({ annotation: key, problem: 'is not "true"', remedy: `write ${key}=true, or take it away: ${key}-` });
      }
    } else if (value === undefined) {
      verbs.add('unlock'); // an unknown key that got in somehow may be removed by who may lift locks
    } else {
      report(unknownKey(key));
    }
  }
  if (
    after[OPEN] !== undefined &&
    after[OPEN_UNTIL] === undefined &&
    keys.some((key) => key === OPEN || key === OPEN_UNTIL)
  ) {
    report({
      annotation: OPEN,
      problem: `stands without ${OPEN_UNTIL}`,
      remedy: `say until when: ${OPEN_UNTIL}=${example(nowMs)}`,
    });
  }
  return { keys, verbs: [...verbs], problems };
};

// A new freeze may be bounded from the start; to bound one that stands, or to end it sooner, is to weaken it.
const untilVerb = (before: Annotations, after: Annotations): LockVerb => {
  if (before[FREEZE] === undefined && before[FREEZE_UNTIL] === undefined) return 'lock';
  if (after[FREEZE_UNTIL] === undefined) return after[FREEZE] === undefined ? 'unlock' : 'lock';
  const was =
    before[FREEZE_UNTIL] === undefined
      ? Number.POSITIVE_INFINITY
      : (parseTime(before[FREEZE_UNTIL]) ?? Number.POSITIVE_INFINITY);
  const is = parseTime(after[FREEZE_UNTIL]) ?? Number.POSITIVE_INFINITY;
  return is < was ? 'unlock' : 'lock';
};
