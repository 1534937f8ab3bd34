/** How long certificates are valid, and how long Belay waits between the steps by which one authority follows another. */

import type { CertificateIntervals } from '../intervals/intervals.ts';

export interface Lifetimes {
  readonly authorityMs: number;
  readonly leafMs: number;
}

export interface Pauses {
  /** From when a new authority is in every caBundle until it signs. By then every API server has heard of it. */
  readonly settleMs: number;
  /** From when a new authority signs until the old one is removed. By then every replica has reloaded. */
  readonly reloadMs: number;
  /** How long the certificate before is served on, where it works, when the authority of the next one is not known yet. */
  readonly graceMs: number;
  /** How often to look even when no watch tells of a change. */
  readonly tickMs: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_LIFETIMES: Lifetimes = { authorityMs: 3652 * DAY_MS, leafMs: 365 * DAY_MS };

/** A third of this is left for a renewal. A slow machine would not finish a renewal in less. */
export const MIN_LEAF_MS = MINUTE_MS;

/** An authority is replaced when a third of its life is left. Until then it should outlive the certificates that it signs. */
export const MIN_LEAVES_PER_AUTHORITY = 3;

/** The clock of the API server may be behind. So certificates are valid from this long before they are made. */
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
