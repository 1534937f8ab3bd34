import type { LockIntervals } from '../../intervals/intervals.ts';
import type { Api } from '../../kubernetes/api.ts';
import type { HeldLock } from './hold-lock.ts';
import type { LockedCommand } from './parse-command-line.ts';
import type { Patience } from './patience.ts';
import type { Progress } from './progress.ts';
import type { ReleaseReader } from './release-reader.ts';
import type { Signals } from './signals.ts';

/** What one `helm lock` works with, from the moment on that its locks are held. */
export interface Session {
  readonly command: LockedCommand;
  /** The Helm to run. */
  readonly helm: string;
  readonly api: Api;
  /** Undefined: the records are not in the cluster (HELM_DRIVER). */
  readonly reader: ReleaseReader | undefined;
  readonly hasBelay: boolean;
  readonly locks: readonly HeldLock[];
  readonly patience: Patience;
  readonly intervals: LockIntervals;
  readonly progress: Progress;
  readonly signals: Signals;
  /** Variables for what is run, on top of this process' own. */
  readonly env: Readonly<Record<string, string>>;
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** Ends early when a signal comes. */
  readonly pause: (ms: number) => Promise<void>;
}

/** How a `helm lock` ends before its command has run. */
export type Early =
  /** Done, and there was nothing to do. */
  { readonly end: 'skipped'; readonly because: string } | { readonly end: 'signal' };
