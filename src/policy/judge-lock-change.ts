import { LOCK_PREFIX } from '../helm/record.ts';
import type { LockSource, LockVerb } from './lock.ts';
import {
  type Annotations,
  BREAK,
  endMs,
  FREEZE,
  FREEZE_BY,
  FREEZE_UNTIL,
  NO_DOWNGRADE,
  OPEN,
  OPEN_UNTIL,
  PIN,
} from './lock-annotations.ts';
import {
  findBreakProblems,
  findFreezeUntilProblems,
  findMissingEnd,
  findNoDowngradeProblems,
  findOpenUntilProblems,
  findPinProblems,
  findReasonProblems,
  findUnknownKeyProblem,
  type LockProblem,
  type Problems,
  type SetAnnotation,
} from './lock-problems.ts';

export interface LockChange {
  /** Keys that were added, changed or removed. FREEZE_BY is never among them. */
  readonly keys: readonly string[];
  /** The rights on `releases.belay.dev` that the change needs. */
  readonly verbs: readonly LockVerb[];
  readonly problems: readonly LockProblem[];
}

/** How a change of one annotation is judged. */
interface AnnotationRule {
  /** The verbs that the change needs. The annotation is among `before`, among `after`, or among both with another value. */
  readonly verbs: (before: Annotations, after: Annotations, nowMs: number) => readonly LockVerb[];
  /** What is wrong with a new value. */
  readonly problems: (set: SetAnnotation) => Problems;
}

const locksBy =
  (key: string): AnnotationRule['verbs'] =>
  (_before, after) => [after[key] === undefined ? 'unlock' : 'lock'];

/**
 * Another reason over a freeze in force replaces it, and who froze with it, so that it needs the verb for lifting the freeze too. Nobody
 * needs that verb for a freeze of their own. /mutate has written in `after` who makes this change.
 */
const freezeVerbs = (before: Annotations, after: Annotations, nowMs: number): readonly LockVerb[] => {
  if (after[FREEZE] === undefined) return ['unlock'];
  return replacesFreezeOf(before, after, nowMs) === undefined ? ['lock'] : ['unlock', 'lock'];
};

/** Who wrote the freeze in force that a change gives another reason, where somebody else makes the change; empty when that is not known. */
export const replacesFreezeOf = (before: Annotations, after: Annotations, nowMs: number): string | undefined => {
  const [old, now] = [before[FREEZE], after[FREEZE]];
  if (old === undefined || now === undefined || old === now || endMs(before) <= nowMs) return undefined;
  return before[FREEZE_BY] === after[FREEZE_BY] ? undefined : (before[FREEZE_BY] ?? '');
};

const freezeUntilVerbs = (before: Annotations, after: Annotations): readonly LockVerb[] => {
  // A new freeze may have an end from the start.
  if (before[FREEZE] === undefined && before[FREEZE_UNTIL] === undefined) return ['lock'];
  if (after[FREEZE_UNTIL] === undefined) return [after[FREEZE] === undefined ? 'unlock' : 'lock'];
  // An end, or an earlier end, makes a freeze that stands weaker.
  return [endMs(after) < endMs(before) ? 'unlock' : 'lock'];
};

const openVerbs =
  (key: string): AnnotationRule['verbs'] =>
  (_before, after) => [after[key] === undefined && after[OPEN] === undefined ? 'lock' : 'open'];

/** Another range may be narrower or wider, so a change of a pin needs the verb for removing it and the verb for setting it. */
const pinVerbs = (before: Annotations, after: Annotations): readonly LockVerb[] => [
  ...(before[PIN] === undefined ? [] : (['unlock'] as const)),
  ...(after[PIN] === undefined ? [] : (['lock'] as const)),
];

/** Every annotation that a person may write. Messages list the keys in this order. */
const RULES: ReadonlyMap<string, AnnotationRule> = new Map<string, AnnotationRule>([
  [FREEZE, { verbs: freezeVerbs, problems: findReasonProblems }],
  [FREEZE_UNTIL, { verbs: freezeUntilVerbs, problems: findFreezeUntilProblems }],
  [PIN, { verbs: pinVerbs, problems: findPinProblems }],
  [NO_DOWNGRADE, { verbs: locksBy(NO_DOWNGRADE), problems: findNoDowngradeProblems }],
  [OPEN, { verbs: openVerbs(OPEN), problems: findReasonProblems }],
  [OPEN_UNTIL, { verbs: openVerbs(OPEN_UNTIL), problems: findOpenUntilProblems }],
  [BREAK, { verbs: (_before, after) => [after[BREAK] === undefined ? 'lock' : 'break'], problems: findBreakProblems }],
]);

const KNOWN_KEYS = [...RULES.keys()];

/** Belay refuses an unknown key. A key that is there all the same may be removed with the right to lift locks. */
const ruleForUnknown = (key: string): AnnotationRule => ({
  verbs: (_before, after) => (after[key] === undefined ? ['unlock'] : []),
  problems: () => [findUnknownKeyProblem(key, KNOWN_KEYS)],
});

const isLockKey = (key: string): boolean => key.startsWith(LOCK_PREFIX) && key !== FREEZE_BY;

/**
 * Judges what a write does to the locks of one record or Namespace: which verbs on `releases.belay.dev` it needs, and what is
 * wrong with its values. A change that weakens a lock needs `unlock`, a change that strengthens one needs `lock`.
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
  for (const key of keys) {
    const rule = RULES.get(key) ?? ruleForUnknown(key);
    for (const verb of rule.verbs(before, after, nowMs)) verbs.add(verb);
    const value = after[key];
    if (value !== undefined) problems.push(...rule.problems({ key, value, after, source, nowMs }));
  }
  if (keys.some((key) => key === OPEN || key === OPEN_UNTIL)) problems.push(...findMissingEnd(after, nowMs));
  return { keys, verbs: [...verbs], problems };
};
