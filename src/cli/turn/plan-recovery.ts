import type { ReleaseRecord } from '../../helm/record.ts';
import type { LockedCommand } from './parse-command-line.ts';
import { lastGood, type ReleaseCondition } from './release-condition.ts';

/** What `lock` does with a stuck or failed release before the command runs. */
export type Recovery =
  | { readonly do: 'nothing'; readonly say?: string }
  | { readonly do: 'roll back'; readonly revision: number; readonly why: string }
  /** Uninstalls the leftovers of an install, or finishes an uninstall that died. */
  | { readonly do: 'clear'; readonly keepHistory: boolean; readonly why: string }
  | { readonly do: 'give up'; readonly why: string };

const isFirstOrLast = (status: string): boolean => status === 'pending-install' || status === 'uninstalling';

/**
 * Decides on the recovery. `helm rollback` and `helm uninstall` need none: they work on stuck and failed releases, and a rollback before them
 * would change the revision that `helm rollback REL` means. `helm upgrade` works on a failed first install. `helm install` never works on
 * an existing release.
 */
export const planRecovery = (
  kind: LockedCommand['kind'],
  installs: boolean,
  condition: ReleaseCondition,
  records: readonly ReleaseRecord[],
): Recovery => {
  if (condition.at === 'rest' || condition.at === 'work') return { do: 'nothing' };
  if (kind === 'rollback' || kind === 'uninstall') return { do: 'nothing' };
  const { newest } = condition;
  const isStuck = condition.at === 'stuck';
  const why = isStuck
    ? `its ${condition.operation} to revision ${newest.revision} is stuck (${newest.status}): ${condition.because}`
    : `revision ${newest.revision} failed`;
  const wasEverUp = records.some(({ status }) => ['deployed', 'superseded', 'uninstalled'].includes(status));

  if (isStuck && isFirstOrLast(newest.status)) {
    if (installs) return { do: 'clear', keepHistory: kind === 'upgrade' && wasEverUp, why };
    if (kind === 'any') return { do: 'nothing', say: `${why}; there is no revision to go back to` };
    return {
      do: 'give up',
      why: `${why}; there is no deployed revision to go back to, and nothing to upgrade: lock upgrade --install clears it first`,
    };
  }
  const good = lastGood(records, isStuck);
  if (good !== undefined) {
    return kind === 'install' ? { do: 'nothing' } : { do: 'roll back', revision: good.revision, why };
  }
  if (!isStuck) {
    return kind === 'install' && !wasEverUp ? { do: 'clear', keepHistory: false, why } : { do: 'nothing' };
  }
  if (installs) return { do: 'clear', keepHistory: false, why };
  if (kind === 'any') return { do: 'nothing', say: `${why}; there is no revision to go back to` };
  return { do: 'give up', why: `${why}; there is no deployed revision to go back to` };
};
