/** How long certificates are good for, and how long Belay waits between the steps by which one authority follows another. */

import type { CertificateIntervals } from '../intervals/intervals.ts';

export interface Lifetimes {
  readonly authorityMs: number;
  readonly leafMs: number;
}

export interface Pauses {
  /** A new authority is in every caBundle: until it signs, so that every API server has heard of it. */
  readonly settleMs: number;
  /** A new authority signs: until the old one is trusted no more, so that every replica has reloaded. */
  readonly reloadMs: number;
  /** A certificate whose authority was not known before: how long the one before is served on, where that works. */
  readonly graceMs: number;
  /** How often to look even if nothing was heard. */
  readonly tickMs: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_LIFETIMES: Lifetimes = { authorityMs: 3652 * DAY_MS, leafMs: 365 * DAY_MS };

/** Below, a slow machine would not get through a renewal in time: a third of it is left then. */
export const MIN_LEAF_MS = MINUTE_MS;

/** An authority gives way when a third of its life is left, and what it signs should not be cut short before. */
export const MIN_LEAVES_PER_AUTHORITY = 3;

/** The API server's clock may be behind ours: certificates are valid from this long before they are made. */
export const CLOCK_SKEW_MS = HOUR_MS;

type LongestPauses = Pick<
  CertificateIntervals,
  'longestSettleMs' | 'longestReloadMs' | 'longestGraceMs' | 'longestTickMs'
>;

/** Short lifetimes shorten the pauses, so that the steps fit into the third that is left. */
export const pausesOf = ({ leafMs }: Lifetimes, longest: LongestPauses): Pauses => ({
  settleMs: Math.min(longest.longestSettleMs, leafMs / 20),
  reloadMs: Math.min(longest.longestReloadMs, leafMs / 10),
  graceMs: Math.min(longest.longestGraceMs, leafMs / 60),
  tickMs: Math.min(longest.longestTickMs, leafMs / 60),
});
