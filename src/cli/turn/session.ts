import type { LockIntervals } from '../../intervals/intervals.ts';
import type { Api } from '../../kubernetes/api.ts';
import type { HeldLock } from './hold-lock.ts';
import type { LockedCommand } from './parse-command-line.ts';
import type { Progress } from './progress.ts';
import type { ReleaseReader } from './release-reader.ts';
import type { Signals } from './signals.ts';
import type { WaitLimit } from './wait-limit.ts';

/** The state of one `helm lock` while its locks are held. */
export interface Session {
  readonly command: LockedCommand;
  /** The Helm to run. */
  readonly helm: string;
  readonly api: Api;
  /** Undefined: the records are not in the cluster (HELM_DRIVER). */
  readonly reader: ReleaseReader | undefined;
  readonly hasBelay: boolean;
  readonly locks: readonly HeldLock[];
  readonly waitLimit: WaitLimit;
  readonly intervals: LockIntervals;
  readonly progress: Progress;
  readonly signals: Signals;
  /** Environment variables for the command, in addition to those of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** Sleeps, and ends early when a signal comes. */
  readonly pause: (ms: number) => Promise<void>;
}

/** How a `helm lock` ends before its command has run. */
export type EarlyEnd =
  /** There was nothing to do. */
  { readonly end: 'skipped'; readonly because: string } | { readonly end: 'signal' };
