import type { Freeze } from '../../policy/lock.ts';
import type { Denial } from '../../rules/verdict.ts';
import { quoteText, showName } from '../../text/escape.ts';
import { showWhen } from '../../text/when.ts';
import { deletePods, editPolicy, unfreeze } from './commands.ts';
import { type Explanation, HOOK_OF_UNINSTALL, showNames, showRefusal, showRelease } from './explanation.ts';

type Frozen = Extract<Denial, { code: 'BelayFrozen' }>;

/** Helm keeps 10 revisions by default. One `kubectl annotate -l` freezes all of them alike, so equal freezes share one line. */
export const explainFreeze = (
  { attempt, release, freezes, object, restartOf, passesUnfrozen = false, endsDeletion, isHook }: Frozen,
  nowMs: number,
): Explanation => {
  const [first] = freezes;
  const showSubject = (): string => {
    if (attempt === 'namespace delete') {
      return object === undefined || object.name === release.namespace
        ? 'what Helm released in it'
        : `${showRelease(release)}, with objects in it,`;
    }
    return object ? showRelease(release) : 'it';
  };
  const reason = first ? `: ${showReason(first)}` : '';
  return {
    headline: `${showRefusal(attempt, release, object)}: ${showSubject()} is frozen${reason}`,
    lines: [
      ...groupAlike(freezes).map((alike) => `frozen by ${showFreeze(alike, nowMs)}`),
      ...(restartOf && object
        ? [`a restart is a change; Pods may still be deleted: ${deletePods(object, restartOf)}`]
        : []),
      ...(passesUnfrozen
        ? [
            'what the policy leaves to this user waits for the end of the freeze, unless the policy says whileFrozen: true',
          ]
        : []),
      ...(isHook ? [HOOK_OF_UNINSTALL] : []),
      ...(endsDeletion ? ['it is being deleted already, and stays as long as one of its finalizers does'] : []),
      ...(attempt === 'record delete' ? [PRUNED_FIRST] : []),
      ...liftingLines(freezes, release),
    ],
  };
};

/** Helm shows this refusal as that of the upgrade, of which Belay has seen nothing yet. */
const PRUNED_FIRST =
  'helm upgrade and helm rollback prune the history before they begin: they are refused by this freeze too';

const showReason = ({ reason }: Freeze): string => (reason === '' ? 'no reason given' : quoteText(reason));

const groupAlike = (freezes: readonly Freeze[]): Freeze[][] =>
  Object.values(
    Object.groupBy(freezes, ({ source, reason, by, untilMs }) =>
      JSON.stringify([source.kind, source.namespace, reason, by, untilMs]),
    ),
  ).filter((group) => group !== undefined);

const showFreeze = (alike: readonly Freeze[], nowMs: number): string => {
  const [first] = alike;
  if (first === undefined) return '';
  const until = first.untilMs === undefined ? 'until it is lifted' : `until ${showWhen(first.untilMs, nowMs)}`;
  if (first.source.kind === 'ReleasePolicy')
    return `ReleasePolicy ${showName(first.source.name)}, ${until}: ${showReason(first)}`;
  const by = first.by === undefined ? 'unknown' : showName(first.by);
  return `${by}, ${until}, on ${first.source.kind} ${showNames(alike.map(({ source }) => source.name))}: ${showReason(first)}`;
};

const liftingLines = (freezes: readonly Freeze[], release: Frozen['release']): string[] => {
  const [stated, annotated] = partition(freezes, ({ source }) => source.kind === 'ReleasePolicy');
  return [
    ...(annotated.length === 0
      ? []
      : [
          'to lift it, for someone who may unlock:',
          ...liftingCommands(annotated, release).map((command) => `  ${command}`),
        ]),
    ...(stated.length === 0
      ? []
      : [
          stated.some(({ untilMs }) => untilMs === undefined)
            ? 'to lift that of the policy, for someone who may change it:'
            : 'to end that of the policy before, for someone who may change it:',
          ...new Set(stated.map(({ source }) => `  ${editPolicy(source.name)}`)),
        ]),
  ];
};

const partition = <T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [readonly T[], readonly T[]] => [
  items.filter(isFirst),
  items.filter((item) => !isFirst(item)),
];

const liftingCommands = (freezes: readonly Freeze[], release: Frozen['release']): string[] => {
  const hasEnd = (freeze: Freeze): boolean =>
    freezes.some(({ source, untilMs }) => source.kind === freeze.source.kind && untilMs !== undefined);
  return [...new Set(freezes.map((freeze) => unfreeze(freeze.source, release, hasEnd(freeze))))];
};
