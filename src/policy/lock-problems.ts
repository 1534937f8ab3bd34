import leven from 'leven';
import { MAX_RANGE_LENGTH, parseRange } from '../helm/chart-range.ts';
import type { LockSource } from './lock.ts';
import {
  type Annotations,
  BREAK,
  FREEZE,
  FREEZE_UNTIL,
  MAX_OPEN_MS,
  MAX_REASON_LENGTH,
  NO_DOWNGRADE,
  OPEN,
  OPEN_UNTIL,
  PIN,
  parseTime,
} from './lock-annotations.ts';

/** What is wrong with an annotation, in words that follow its name, and what to write instead. */
export interface LockProblem {
  readonly annotation: string;
  readonly problem: string;
  readonly remedy: string;
}

/** One annotation that a write sets. */
export interface SetAnnotation {
  readonly key: string;
  readonly value: string;
  /** All annotations that the object has after the write. */
  readonly after: Annotations;
  readonly source: LockSource;
  readonly nowMs: number;
}

export type Problems = readonly LockProblem[];

/** An hour from now. */
const exampleTime = (nowMs: number): string => `${new Date(nowMs + 3_600_000).toISOString().slice(0, 19)}Z`;

export const findReasonProblems = ({ key: annotation, value }: SetAnnotation): Problems => {
  if (value.trim() === '') {
    return [{ annotation, problem: 'has no reason', remedy: `write why: ${annotation}="black friday, ask #sre"` }];
  }
  if (value.length > MAX_REASON_LENGTH) {
    const problem = `is longer than ${MAX_REASON_LENGTH} characters`;
    return [{ annotation, problem, remedy: 'write a shorter reason' }];
  }
  return [];
};

const findTimeProblems = ({ key: annotation, value, nowMs }: SetAnnotation): Problems => {
  const remedy = `write a time to come, in RFC 3339: ${annotation}=${exampleTime(nowMs)}`;
  const ms = parseTime(value);
  if (ms === undefined) return [{ annotation, problem: 'is not an RFC 3339 time', remedy }];
  return ms <= nowMs ? [{ annotation, problem: 'lies in the past', remedy }] : [];
};

export const findFreezeUntilProblems = (set: SetAnnotation): Problems => {
  const problems = findTimeProblems(set);
  if (set.after[FREEZE] !== undefined) return problems;
  const remedy = `write the reason as well: ${FREEZE}="..."`;
  return [...problems, { annotation: FREEZE_UNTIL, problem: `stands without ${FREEZE}`, remedy }];
};

export const findOpenUntilProblems = (set: SetAnnotation): Problems => {
  const { key: annotation, value, nowMs } = set;
  const problems = findTimeProblems(set);
  if (problems.length > 0 || (parseTime(value) ?? 0) <= nowMs + MAX_OPEN_MS) return problems;
  const remedy = `write a time within the next ${MAX_OPEN_MS / 3_600_000} hours: ${annotation}=${exampleTime(nowMs)}`;
  return [{ annotation, problem: 'lies too far ahead', remedy }];
};

/** A maintenance window without an end does not open. */
export const findMissingEnd = (after: Annotations, nowMs: number): Problems => {
  if (after[OPEN] === undefined || after[OPEN_UNTIL] !== undefined) return [];
  const remedy = `say until when: ${OPEN_UNTIL}=${exampleTime(nowMs)}`;
  return [{ annotation: OPEN, problem: `stands without ${OPEN_UNTIL}`, remedy }];
};

export const findBreakProblems = (set: SetAnnotation): Problems => {
  const problems = findReasonProblems(set);
  if (set.source.kind !== 'Namespace') return problems;
  const remedy = 'write it on the pending record that is to be declared dead';
  return [...problems, { annotation: BREAK, problem: 'stands on a Namespace', remedy }];
};

export const findPinProblems = ({ value }: SetAnnotation): Problems => {
  if (value.length > MAX_RANGE_LENGTH) {
    const problem = `is longer than ${MAX_RANGE_LENGTH} characters`;
    return [{ annotation: PIN, problem, remedy: `write a shorter range: ${PIN}=">=1.2 <2"` }];
  }
  if (parseRange(value) !== undefined) return [];
  const remedy = `write versions or a range of them: ${PIN}=1.4.2, ${PIN}=1.4.x, ${PIN}=">=1.2 <2"`;
  return [{ annotation: PIN, problem: 'is not a SemVer range', remedy }];
};

export const findNoDowngradeProblems = ({ value }: SetAnnotation): Problems => {
  const remedy = `write ${NO_DOWNGRADE}=true, or take it away: ${NO_DOWNGRADE}-`;
  return value === 'true' ? [] : [{ annotation: NO_DOWNGRADE, problem: 'is not "true"', remedy }];
};

/** Edits between a known key and a key that is still taken for a misspelling of it. */
const MAX_TYPOS = 4;

export const findUnknownKeyProblem = (annotation: string, known: readonly string[]): LockProblem => {
  const [nearest] = known
    .map((key) => ({ key, distance: leven(key, annotation) }))
    .sort((a, b) => a.distance - b.distance);
  const isTypo = nearest !== undefined && nearest.distance <= MAX_TYPOS;
  return {
    annotation,
    problem: 'is no annotation that Belay knows',
    remedy: isTypo ? `did you mean ${nearest.key}?` : `known are: ${known.join(', ')}`,
  };
};
