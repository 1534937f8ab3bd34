import { Gauge, type Registry } from 'prom-client';
import type { ReleaseIndex } from '../cluster/release-index.ts';

/** What an operator needs to know of the mirror that the hot path answers from: its size, and how long it has heard nothing. */
export const registerIndexMetrics = (registry: Registry, index: ReleaseIndex): void => {
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
};
