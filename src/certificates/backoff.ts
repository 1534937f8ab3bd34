import type { CertificateIntervals } from '../intervals/intervals.ts';

export type BackoffIntervals = Pick<CertificateIntervals, 'firstBackoffMs' | 'lastBackoffMs'>;

/** Doubles with each failure in a row. Between half of that and all of it, so that replicas do not try at the same moments. */
export const backoffMs = (failures: number, { firstBackoffMs, lastBackoffMs }: BackoffIntervals): number =>
  Math.min(lastBackoffMs, firstBackoffMs * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
