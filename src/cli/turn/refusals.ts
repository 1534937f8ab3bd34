import type { DenialCode } from '../../rules/verdict.ts';
import type { LockedCommand } from './parse-command-line.ts';

/** The refusals in Helm's stderr. Helm prints Belay's messages unchanged, with the code in brackets. */
export interface Refusals {
  /** Somebody without the lock was faster. The first write of the operation was refused, and nothing was changed. */
  readonly isBusy: boolean;
  /** A freeze, a pin or a ban on downgrades. */
  readonly isLocked: boolean;
  /** Belay refused, for any reason. */
  readonly isDenied: boolean;
}

const LOCKED: ReadonlySet<string> = new Set<DenialCode>(['BelayFrozen', 'BelayPinned', 'BelayDowngrade']);

/**
 * The operations whose first write a command may make; `upgrade --install` may install. Other refusals do not count, because the command has
 * then already changed something: a failed upgrade may roll back (`--atomic`), and the objects of an overtaken operation are refused.
 */
const STARTS: Readonly<Record<LockedCommand['kind'], string>> = {
  install: 'install',
  upgrade: 'install|upgrade',
  rollback: 'rollback',
  uninstall: 'uninstall',
  any: 'install|upgrade|rollback|uninstall',
};

/** The message of Helm's own check, which only upgrade makes (pkg/action/upgrade.go: errPending). */
const HELM_IS_BUSY = /another operation \(install\/upgrade\/rollback\) is in progress/;

export const readRefusals = (kind: LockedCommand['kind'], stderr: string): Refusals => {
  const codes = [...stderr.matchAll(/\[(Belay[A-Za-z]+)\]/g)].map(([, code]) => code ?? '');
  const start = new RegExp(`\\b(${STARTS[kind]}) of release [^\\n]* refused: [^\\n]*\\[BelayOperationInFlight\\]`);
  return {
    isBusy: start.test(stderr) || HELM_IS_BUSY.test(stderr),
    isLocked: codes.some((code) => LOCKED.has(code)),
    isDenied: codes.length > 0,
  };
};
