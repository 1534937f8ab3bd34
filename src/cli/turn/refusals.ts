import type { DenialCode } from '../../rules/verdict.ts';
import type { LockedCommand } from './parse-command-line.ts';

/** What Helm's words on stderr tell of a refusal. Helm passes Belay's messages on as they are, with the code in brackets. */
export interface Refusals {
  /** Somebody who does not use the lock was faster: the operation was refused where it starts, and has changed nothing. */
  readonly isBusy: boolean;
  /** A freeze, a pin or a ban on downgrades. */
  readonly isLocked: boolean;
  /** Belay refused, for whatever reason. */
  readonly isDenied: boolean;
}

const LOCKED: ReadonlySet<string> = new Set<DenialCode>(['BelayFrozen', 'BelayPinned', 'BelayDowngrade']);

/**
 * What may be refused where it starts: `upgrade --install` installs. Further on, an upgrade that failed may roll back (`--atomic`), and objects
 * are refused to those who were overtaken; neither of them has changed nothing.
 */
const STARTS: Readonly<Record<LockedCommand['kind'], string>> = {
  install: 'install',
  upgrade: 'install|upgrade',
  rollback: 'rollback',
  uninstall: 'uninstall',
  any: 'install|upgrade|rollback|uninstall',
};

/** Helm's own check, which upgrade alone makes (pkg/action/upgrade.go: errPending). */
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
