import { CLAIM_SELECTOR } from '../../facts/claim-lease.ts';
import type { ReleaseName } from '../../helm/names.ts';
import { judgeLockChange } from '../../policy/judge-lock-change.ts';
import type { LockSource } from '../../policy/lock.ts';
import { type Annotations, FREEZE_UNTIL, OPEN_UNTIL, parseTime } from '../../policy/lock-annotations.ts';
import { CLAIM_VOID_AFTER_MS } from '../../rules/in-flight.ts';
import { escapeText, showName } from '../../text/escape.ts';
import { describeError } from './ask.ts';
import type { CheckContext } from './check-context.ts';
import { atMost, count, type Finding } from './finding.ts';
import { type Inventory, MAX_LISTED, orNothing, takeInventory } from './inventory.ts';

const showRelease = ({ namespace, name }: ReleaseName): string => showName(`${namespace}/${name}`);

const findStuck = ({ views, namespace }: Inventory, command: string): readonly Finding[] => {
  const check = 'stuck releases';
  const stuck = views.flatMap(({ release, operation }) =>
    operation.state === 'dead'
      ? [
          `${showRelease(release)}: ${operation.was.operation} to revision ${operation.was.revision} is ${operation.reason}`,
        ]
      : [],
  );
  const ownerless = views.flatMap(({ release, operation }) =>
    operation.state === 'in-flight' && operation.inFlight.holder === undefined
      ? [
          `${showRelease(release)}: ${operation.inFlight.operation} to revision ${operation.inFlight.revision} is in flight, and nobody knows whose it is`,
        ]
      : [],
  );
  const all = [...stuck, ...ownerless];
  if (all.length === 0)
    return [
      {
        check,
        state: 'ok',
        says: views.length === 0 ? 'there are no releases' : `none of ${count(views.length, 'release')}`,
      },
    ];
  return [
    {
      check,
      state: 'warn',
      says: `${all.length} of ${count(views.length, 'release')} did not end as they should; the next operation takes over`,
      details: atMost(all, 5),
      next: `${command} status ${namespace === undefined ? '-A' : `-n ${showName(namespace)}`}`,
    },
  ];
};

/** A claim without a release blocks nothing, and Belay deletes it later. */
const findClaims = ({ claims, records, isCut }: Inventory, nowMs: number): readonly Finding[] => {
  const check = 'claims';
  if (claims === undefined) return [{ check, state: 'skip', says: 'not checked: you may not list leases' }];
  // With a cut list, the records of a release may be missing from it.
  if (isCut) return [];
  const known = new Set(records.map(({ namespace, release }) => `${namespace}/${release}`));
  const orphans = [...claims]
    .filter(([key, { claim }]) => !known.has(key) && nowMs >= claim.acquiredAtMs + CLAIM_VOID_AFTER_MS)
    .map(([, { release, claim }]) => `${showRelease(release)}: ${claim.operation} by ${showName(claim.holder)}`);
  if (orphans.length === 0)
    return [
      {
        check,
        state: 'ok',
        says: claims.size === 0 ? 'none' : `${count(claims.size, 'claim')}, of releases that are there`,
      },
    ];
  return [
    {
      check,
      state: 'warn',
      says: `${count(orphans.length, 'claim')} of releases that are gone; they block nothing, and Belay deletes them when it runs`,
      details: atMost(orphans, 5),
      next: `kubectl get leases -A -l ${CLAIM_SELECTOR}`,
    },
  ];
};

/** A time in the past is the normal end of a lock, and no problem. */
const hasEnded = (annotations: Annotations, key: string): boolean =>
  (key === FREEZE_UNTIL || key === OPEN_UNTIL) && parseTime(annotations[key] ?? '') !== undefined;

const problemsOf = (annotations: Annotations | undefined, source: LockSource, nowMs: number): readonly string[] =>
  annotations === undefined
    ? []
    : judgeLockChange({}, annotations, nowMs, source)
        .problems.filter(({ annotation }) => !hasEnded(annotations, annotation))
        .map(({ annotation, problem }) => {
          const where = source.namespace === '' ? source.name : `${source.namespace}/${source.name}`;
          return `${source.kind} ${showName(where)}: ${escapeText(annotation, 253)} ${escapeText(problem)}`;
        });

/** A lock annotation that cannot be read counts as a lock, which would surprise its author. */
const findBadLocks = ({ records, namespaces }: Inventory, nowMs: number): readonly Finding[] => {
  const check = 'locks';
  const bad = [
    ...records.flatMap(({ kind, namespace, name, locks }) => problemsOf(locks, { kind, namespace, name }, nowMs)),
    ...namespaces.flatMap(({ name, annotations }) =>
      problemsOf(annotations, { kind: 'Namespace', namespace: '', name }, nowMs),
    ),
  ];
  if (bad.length === 0) return [{ check, state: 'ok', says: 'all that are set can be read' }];
  return [
    {
      check,
      state: 'warn',
      says: `${count(bad.length, 'annotation')} cannot be read, and count as locks until somebody corrects them`,
      details: atMost(bad, 5),
    },
  ];
};

/** Finds leftovers: of operations that died, of Belay while it did not run, and of writes that Belay did not see. */
export const checkLeftovers = async (context: CheckContext): Promise<readonly Finding[]> => {
  const check = 'releases';
  const { nowMs, command, probeNamespace } = context;
  let seen: Inventory;
  try {
    seen = (await orNothing(takeInventory(context, undefined))) ?? (await takeInventory(context, probeNamespace));
  } catch (error) {
    return [{ check, state: 'skip', says: `not checked: ${describeError(error)}` }];
  }
  const scope: readonly Finding[] =
    seen.namespace === undefined && !seen.isCut
      ? []
      : [
          {
            check,
            state: 'skip',
            says: seen.isCut
              ? `there are more than ${MAX_LISTED} records: what follows is of the first of them`
              : `what follows is of namespace ${showName(probeNamespace)}: you may not list those of all namespaces`,
          },
        ];
  return [...scope, ...findStuck(seen, command), ...findClaims(seen, nowMs), ...findBadLocks(seen, nowMs)];
};
