import { showObject, showReason } from '../../drift/describe-drift.ts';
import type { CheckedRelease, ObjectDrift } from '../../drift/findings.ts';
import { type RepairOutcome, type RepairReleaseDependencies, repairRelease } from '../../drift/repair-release.ts';
import { readRefusal } from '../failure.ts';
import { note, warn } from '../output/say.ts';

/** What is left when all has been tried. */
export type Left = 'nothing' | 'drift' | 'failure';

const WORDS = { restored: 'restored', created: 'created', pruned: 'pruned' } as const;

const LEFT_BY: Readonly<Record<RepairOutcome['done'], Left>> = {
  restored: 'nothing',
  created: 'nothing',
  pruned: 'nothing',
  nothing: 'drift',
  failed: 'failure',
  overtaken: 'failure',
};

const RANK: readonly Left[] = ['nothing', 'drift', 'failure'];

export const worse = (a: Left, b: Left): Left => (RANK.indexOf(a) >= RANK.indexOf(b) ? a : b);

/** Repairs one release, with the rights of whoever calls, and says of each object what has become of it. */
export const repair = async (
  dependencies: RepairReleaseDependencies,
  checked: CheckedRelease,
  { prune, dryRun }: { readonly prune: boolean; readonly dryRun: boolean },
  signal: AbortSignal,
): Promise<Left> => {
  const left: Left[] = [];
  const say = (drift: ObjectDrift, outcome: RepairOutcome): void => {
    left.push(LEFT_BY[outcome.done]);
    // Restored without prune, what others added is still there.
    if (!prune && drift.added.length > 0) left.push('drift');
    const name = showObject(drift.object);
    if ('why' in outcome) {
      const refusal = 'error' in outcome ? readRefusal(outcome.error) : undefined;
      warn(`${name} was not repaired: ${refusal?.message ?? showReason(outcome.why)}`);
    } else {
      process.stdout.write(`${name} ${dryRun ? 'would be ' : ''}${WORDS[outcome.done]}\n`);
    }
  };
  await repairRelease(dependencies, checked, { prune, dryRun, unattended: false }, signal, say);
  if (!prune && checked.drifted.some(({ added }) => added.length > 0))
    note('What others added is left alone; --prune takes it away as well.');
  return left.reduce(worse, 'nothing');
};
