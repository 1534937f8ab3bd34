import { Gauge, type Registry } from 'prom-client';
import type { Policies } from './policies.ts';
import type { ReleaseIndex } from './release-index.ts';

/** Metrics of the mirror from which reviews are answered: its size, and how long its watches have been silent. */
export const registerIndexMetrics = (
  registry: Registry,
  index: Pick<ReleaseIndex, 'recordCount' | 'isSynced' | 'silenceMs' | 'staleMs'>,
  policies: Pick<Policies, 'staleMs'>,
): void => {
  new Gauge({
    name: 'belay_index_records',
    help: 'Release records in memory, metadata only.',
    registers: [registry],
    collect() {
      this.set(index.recordCount());
    },
  });
  new Gauge({
    name: 'belay_index_silence_seconds',
    help: 'Time since the quietest watch was last heard of. The API server sends a bookmark about every minute.',
    registers: [registry],
    collect() {
      this.set(index.isSynced() ? index.silenceMs() / 1000 : 0);
    },
  });
  new Gauge({
    name: 'belay_index_staleness_seconds',
    help: 'For how long a watch of records, claims, namespaces or policies has been lost, or has not said a word for 150 s; 0 while all live, however little happens. From 5 s on every decision is read live.',
    registers: [registry],
    collect() {
      this.set(Math.max(index.staleMs(), policies.staleMs()) / 1000);
    },
  });
};
