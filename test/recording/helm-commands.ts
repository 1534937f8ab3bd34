import type { Helm, Outcome } from '../memory/person.ts';

/** One command of Helm, as it is typed and as the imitation takes it. */
export interface HelmCommand {
  /** After `helm`; SHOP is the chart, ATOMIC the flag that each Helm has of its own. */
  readonly typed: string;
  readonly run: (helm: Helm) => Promise<Outcome>;
}

const row = (typed: string, run: HelmCommand['run']): HelmCommand => ({ typed, run });

/** In order: each goes on from what the one before left. */
export const HELM_COMMANDS: readonly HelmCommand[] = [
  row('install web SHOP', (helm) => helm.install('web')),
  row('install web SHOP', (helm) => helm.install('web')),
  row('upgrade web SHOP --set image=nginx:1.28', (helm) => helm.upgrade('web', { image: 'nginx:1.28' })),
  row('upgrade web SHOP --set image=nginx:1.28', (helm) => helm.upgrade('web', { image: 'nginx:1.28' })),
  row('upgrade web SHOP --set extraConfig.a=1', (helm) => helm.upgrade('web', { extraConfig: { a: '1' } })),
  row('upgrade web SHOP --set extraConfig.b=2', (helm) => helm.upgrade('web', { extraConfig: { b: '2' } })),
  row('rollback web 1', (helm) => helm.rollback('web', 1)),
  row('upgrade web SHOP --set badPort=true', (helm) => helm.upgrade('web', { badPort: true })),
  row('upgrade web SHOP --set badPort=true,extraConfig.c=3 --cleanup-on-fail', (helm) =>
    helm.upgrade('web', { badPort: true, extraConfig: { c: '3' } }, { cleanupOnFail: true }),
  ),
  row('rollback web 8', (helm) => helm.rollback('web', 8)),
  row('upgrade web SHOP', (helm) => helm.upgrade('web')),
  row('upgrade web SHOP --set badPort=true ATOMIC', (helm) => helm.upgrade('web', { badPort: true }, { atomic: true })),
  row('upgrade web SHOP --history-max 3', (helm) => helm.upgrade('web', {}, { historyMax: 3 })),
  row('uninstall web', (helm) => helm.uninstall('web')),
  row('install kept SHOP', (helm) => helm.install('kept')),
  row('uninstall kept --keep-history', (helm) => helm.uninstall('kept', true)),
  row('upgrade --install kept SHOP', (helm) => helm.upgrade('kept', {}, { install: true })),
  row('uninstall kept --keep-history', (helm) => helm.uninstall('kept', true)),
  row('install kept SHOP --replace', (helm) => helm.install('kept', {}, { replace: true })),
  row('uninstall kept --keep-history', (helm) => helm.uninstall('kept', true)),
  row('uninstall kept', (helm) => helm.uninstall('kept')),
  row('install first SHOP --set badPort=true', (helm) => helm.install('first', { badPort: true })),
  row('upgrade --install first SHOP', (helm) => helm.upgrade('first', {}, { install: true })),
  row('uninstall first', (helm) => helm.uninstall('first')),
  row('upgrade none SHOP', (helm) => helm.upgrade('none')),
];

export interface RecordedCommand {
  readonly typed: string;
  readonly ok: boolean;
  readonly writes: readonly string[];
}
