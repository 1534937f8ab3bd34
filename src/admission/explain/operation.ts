import type { ReleaseName } from '../../helm/names.ts';
import type { Denial, InFlight } from '../../rules/verdict.ts';
import { escapeText, showName } from '../../text/escape.ts';
import { showWhen } from '../../text/when.ts';
import { breakOperation, helmHistory, helmStatus, helmUninstall } from './commands.ts';
import { type Explanation, HOOK_OF_UNINSTALL, showInFlight, showRefusal, showRelease } from './explanation.ts';

type DenialOf<Code extends Denial['code']> = Extract<Denial, { code: Code }>;

export const explainInFlight = (
  { attempt, release, inFlight, object, isHook, ofRefusedUninstall }: DenialOf<'BelayOperationInFlight'>,
  nowMs: number,
): Explanation => {
  if (ofRefusedUninstall) {
    return {
      headline: `${showRefusal(attempt, release, object)}: an uninstall of ${showRelease(release)} by this user was refused, and Helm goes on to delete after that`,
      lines: [
        `meanwhile ${showInFlight(inFlight)} is in flight: until it has ended, this user deletes nothing that it installs`,
        ...showProgress(inFlight, nowMs),
        'wait until it is done:',
        `  ${helmStatus(release)}`,
        'then, if the release is to go:',
        `  ${helmUninstall(release)}`,
      ],
    };
  }
  const of = object || attempt === 'namespace delete' ? ` on ${showRelease(release)}` : '';
  return {
    headline: `${showRefusal(attempt, release, object)}: ${showInFlight(inFlight)} is in flight${of}`,
    lines: [...(isHook ? [HOOK_OF_UNINSTALL] : []), ...showProgress(inFlight, nowMs), ...whatToDo(inFlight, release)],
  };
};

const showProgress = ({ sinceMs, staleAtMs }: InFlight, nowMs: number): string[] => [
  `since ${showWhen(sinceMs, nowMs)}`,
  staleAtMs > nowMs
    ? `stale from ${showWhen(staleAtMs, nowMs)}, if nothing more is heard of it until then`
    : `stale since ${showWhen(staleAtMs, nowMs)}: the next operation may take over`,
];

const whatToDo = ({ record }: InFlight, release: ReleaseName): string[] => [
  'wait until it is done:',
  `  ${helmStatus(release)}`,
  ...(record
    ? ['or, if it is dead, and it is yours or you may break it:', `  ${breakOperation(record)}`]
    : // A claim without a record is void 10 s after it was made.
      ['it has only just begun: if it is dead, nothing will be left of it in 10s']),
];

export const explainFenced = ({ release, revision, overtakenBy, holder }: DenialOf<'BelayFenced'>): Explanation => {
  const by = holder === undefined ? '' : ` by ${showName(holder)}`;
  return {
    headline: `write of revision ${revision} of ${showRelease(release)} refused: revision ${overtakenBy}${by} has overtaken it`,
    lines: [
      'its operation was stale or broken, and another one took over: what it still writes counts no more',
      'stop the old helm process, and see where the release stands:',
      `  ${helmHistory(release)}`,
    ],
  };
};

export const explainClaim = (
  { lease, namespace, inFlight }: DenialOf<'BelayClaimGuarded'>,
  nowMs: number,
): Explanation => ({
  headline: `write of Lease ${showName(lease)} in namespace ${showName(namespace)} refused: only Belay writes the claim on a release`,
  lines: [
    ...(inFlight ? [`in flight: ${showInFlight(inFlight)}`, ...showProgress(inFlight, nowMs)] : []),
    ...(inFlight?.record
      ? ['leave it alone; if its operation is dead and you may break it:', `  ${breakOperation(inFlight.record)}`]
      : ['leave it alone: Belay frees it when the operation ends']),
  ],
});

export const explainUnavailable = ({ problem }: DenialOf<'BelayUnavailable'>): Explanation => ({
  headline: `refused: Belay could not read what it needs to decide: ${escapeText(problem)}`,
  lines: [
    'nothing was changed by this request: try again',
    'if it goes on, see how Belay is doing:',
    '  kubectl get pods -n belay-system',
  ],
});
