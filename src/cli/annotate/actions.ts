import { parseRange } from '../../helm/chart-range.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { pinCurrent } from './current-pin.ts';
import * as edits from './lock-edit.ts';
import { type MakeEdit, setLocks } from './set-locks.ts';
import { readUntil, type UntilOptions } from './until.ts';

/** The options of all lock commands, as commander parses them. No command has all of them. */
export interface LockOptions extends ClusterOptions, UntilOptions {
  readonly namespaceWide?: boolean;
  readonly reason?: string;
  readonly current?: boolean;
}

/** What a lock command does with its arguments. */
export type LockAction = (words: readonly string[], options: LockOptions, invocation: Invocation) => Promise<void>;

const set = (
  releases: readonly string[],
  options: LockOptions,
  invocation: Invocation,
  makeEdit: MakeEdit,
): Promise<void> =>
  setLocks({ releases, namespaceWide: options.namespaceWide === true }, makeEdit, options, invocation);

const readReason = ({ reason = '' }: LockOptions): string => {
  if (reason.trim() === '') throw new Failure('--reason is empty: say why, for those who are held up', EXIT.usage);
  return reason;
};

export const freeze: LockAction = async (releases, options, invocation) => {
  const edit = edits.freeze(readReason(options), readUntil(options, Date.now()));
  await set(releases, options, invocation, () => edit);
};

export const unfreeze: LockAction = (releases, options, invocation) =>
  set(releases, options, invocation, () => edits.unfreeze);

export const pin: LockAction = async (words, options, invocation) => {
  if (options.current) {
    if (options.namespaceWide)
      throw new Failure('--current is about what a release runs: name it, without --namespace-wide', EXIT.usage);
    await set(words, options, invocation, pinCurrent);
    return;
  }
  const range = words.at(-1) ?? '';
  if (parseRange(range) === undefined)
    throw new Failure(`${JSON.stringify(range)} is no range of versions: write 1.4.2, 1.4.x or ">=1.2 <2"`, EXIT.usage);
  await set(words.slice(0, -1), options, invocation, () => edits.pin(range));
};

export const unpin: LockAction = (releases, options, invocation) =>
  set(releases, options, invocation, () => edits.unpin);

export const noDowngrade: LockAction = async (words, options, invocation) => {
  const state = words.at(-1);
  if (state !== 'on' && state !== 'off') throw new Failure('say at the end whether it is to be on or off', EXIT.usage);
  await set(words.slice(0, -1), options, invocation, () => edits.noDowngrade(state === 'on'));
};

export const open: LockAction = async (releases, options, invocation) => {
  const untilMs = readUntil(options, Date.now());
  if (untilMs === undefined) throw new Failure('for how long? Give --for 30m, or --until and a time', EXIT.usage);
  const edit = edits.open(readReason(options), untilMs);
  await set(releases, options, invocation, () => edit);
};

export const close: LockAction = (releases, options, invocation) =>
  set(releases, options, invocation, () => edits.close);

export const breakOperation: LockAction = async (releases, options, invocation) => {
  const edit = edits.breakOperation(readReason(options));
  await set(releases, options, invocation, () => edit);
};
