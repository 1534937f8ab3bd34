import type { ReleaseRecord } from '../../helm/record.ts';
import type { LockedCommand } from './parse-command-line.ts';
import { lastGood, type Standing } from './standing.ts';

/** What is done about a release that is stuck or failed, before the command runs. */
export type Recovery =
  | { readonly do: 'nothing'; readonly say?: string }
  | { readonly do: 'roll back'; readonly revision: number; readonly why: string }
  /** Removes what an install left behind, or ends an uninstall that died. */
  | { readonly do: 'clear'; readonly keepHistory: boolean; readonly why: string }
  | { readonly do: 'give up'; readonly why: string };

const isFirstOrLast = (status: string): boolean => status === 'pending-install' || status === 'uninstalling';

/**
 * Decides. `helm rollback` and `helm uninstall` need no help: they run over what is stuck or failed, and a rollback before theirs would change
 * which revision `helm rollback REL` means. `helm upgrade` runs by itself over a failed first install, and `helm install` never over a release
 * that is there.
 */
export const planRecovery = (
  kind: LockedCommand['kind'],
  installs: boolean,
  standing: Standing,
  records: readonly ReleaseRecord[],
): Recovery => {
  if (standing.at === 'rest' || standing.at === 'work') return { do: 'nothing' };
  if (kind === 'rollback' || kind === 'uninstall') return { do: 'nothing' };
  const { newest } = standing;
  const isStuck = standing.at === 'stuck';
  const why = isStuck
    ? `its ${standing.operation} to revision ${newest.revision} is stuck (${newest.status}): ${standing.because}`
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
