import { showObject, showReason } from '../../drift/describe-drift.ts';
import type { CheckedRelease, ObjectDrift } from '../../drift/findings.ts';
import { type RepairOutcome, type RepairReleaseDependencies, repairRelease } from '../../drift/repair-release.ts';
import { showName, showPath } from '../../text/escape.ts';
import { readRefusal } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { note, warn } from '../output/say.ts';

/** What remains after the repair. */
export type Remainder = 'nothing' | 'drift' | 'failure';

const WORDS = { restored: 'restored', created: 'created', pruned: 'pruned' } as const;

const LEFT_BY: Readonly<Record<RepairOutcome['done'], Remainder>> = {
  restored: 'nothing',
  created: 'nothing',
  pruned: 'nothing',
  nothing: 'drift',
  failed: 'failure',
  overtaken: 'failure',
};

const RANK: readonly Remainder[] = ['nothing', 'drift', 'failure'];

export const worse = (a: Remainder, b: Remainder): Remainder => (RANK.indexOf(a) >= RANK.indexOf(b) ? a : b);

export interface RepairChoices {
  readonly prune: boolean;
  readonly dryRun: boolean;
  readonly invocation: Invocation;
}

/** More fields would not fit on a line of a terminal. */
const MAX_FIELDS = 5;

/** The next steps when Belay refuses to remove fields that others added. */
const howToPrune = ({ release }: CheckedRelease, { name }: Invocation): readonly string[] => {
  const where = `${showName(release.name)} -n ${showName(release.namespace)}`;
  return [
    'What others added may be what some controller needs, so Belay lets nobody take it away by hand, unless the release is open:',
    `  ${name} open ${where} --reason "why" --for 10m`,
    `  ${name} drift ${where} --repair --prune`,
  ];
};

/** Repairs one release with the rights of the user, and says the result for each object. */
export const repair = async (
  dependencies: RepairReleaseDependencies,
  checked: CheckedRelease,
  { prune, dryRun, invocation }: RepairChoices,
  signal: AbortSignal,
): Promise<Remainder> => {
  const left: Remainder[] = [];
  let isPruneRefused = false;
  const sayNotPruned = (drift: ObjectDrift, error: unknown, is: string): void => {
    const refusal = readRefusal(error);
    if (refusal?.code !== 'BelayDrift') {
      warn(`${is}: ${refusal?.message ?? showReason((error as Error).message)}`);
      return;
    }
    isPruneRefused = true;
    const fields = drift.added.slice(0, MAX_FIELDS).map(({ path }) => showPath(path));
    const more = drift.added.length - fields.length;
    warn(`${is}: ${fields.join(', ')}${more > 0 ? ` and ${more} more` : ''} [BelayDrift]`);
  };
  const say = (drift: ObjectDrift, outcome: RepairOutcome): void => {
    left.push(LEFT_BY[outcome.done]);
    // Without --prune, the fields that others added remain.
    if (!prune && drift.added.length > 0) left.push('drift');
    const name = showObject(drift.object);
    if ('why' in outcome) {
      const isPruning = prune && drift.problem === 'added' && 'error' in outcome;
      if (isPruning) sayNotPruned(drift, outcome.error, `${name} was not pruned`);
      else {
        const refusal = 'error' in outcome ? readRefusal(outcome.error) : undefined;
        warn(`${name} was not repaired: ${refusal?.message ?? showReason(outcome.why)}`);
      }
      return;
    }
    process.stdout.write(`${name} ${dryRun ? 'would be ' : ''}${WORDS[outcome.done]}\n`);
    if (outcome.done !== 'restored' || outcome.notPruned === undefined) return;
    left.push('failure');
    sayNotPruned(drift, outcome.notPruned, `${name} was not pruned`);
  };
  await repairRelease(dependencies, checked, { prune, dryRun, unattended: false }, signal, say);
  if (isPruneRefused) for (const line of howToPrune(checked, invocation)) note(line);
  if (!prune && checked.drifted.some(({ added }) => added.length > 0))
    note('What others added is left alone; --prune takes it away as well.');
  return left.reduce(worse, 'nothing');
};
