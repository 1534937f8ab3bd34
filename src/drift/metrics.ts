import { Counter, Gauge, type Registry } from 'prom-client';
import { labelledCounters } from '../telemetry/labelled-counters.ts';
import type { SweepStats } from './sweep-stats.ts';

/** Releases with a series of their own, those with the most drifted objects first: a label's values must not grow with the cluster. */
const MAX_RELEASES = 200;

/** What the sweep finds and does. On all replicas but the elected one there is no drift to show. */
export const registerDriftMetrics = (registry: Registry, stats: () => SweepStats, requests: () => number): void => {
  const registers = [registry];
  const counter = labelledCounters(registry);
  new Gauge({
    name: 'belay_drifted_objects',
    help: `Objects that are not as the chart has them, of the ${MAX_RELEASES} releases that have most of them.`,
    labelNames: ['namespace', 'release'],
    registers,
    collect() {
      this.reset();
      const most = [...stats().driftedReleases()].toSorted((a, b) => b.objects - a.objects).slice(0, MAX_RELEASES);
      for (const { release, objects } of most)
        this.set({ namespace: release.namespace, release: release.name }, objects);
    },
  });
  new Gauge({
    name: 'belay_drifted_objects_all',
    help: 'Objects that are not as the chart has them, of all releases.',
    labelNames: ['drift'],
    registers,
    collect() {
      for (const [drift, count] of Object.entries(stats().driftedObjects())) this.set({ drift }, count);
    },
  });
  new Gauge({
    name: 'belay_sweep_leading',
    help: 'Whether this replica is the one that sweeps and has the right to.',
    registers,
    collect() {
      const { leading, enabled } = stats();
      this.set(leading && enabled === true ? 1 : 0);
    },
  });
  new Gauge({
    name: 'belay_sweep_backlog',
    help: 'Releases that are due and have not been looked at yet.',
    registers,
    collect() {
      this.set(stats().backlog);
    },
  });
  new Gauge({
    name: 'belay_sweep_last_pass_seconds',
    help: 'How long it took the last time to look at all releases that were due.',
    registers,
    collect() {
      this.set((stats().lastPass?.ms ?? 0) / 1000);
    },
  });
  new Gauge({
    name: 'belay_sweep_last_pass_releases',
    help: 'How many releases were looked at then.',
    registers,
    collect() {
      this.set(stats().lastPass?.releases ?? 0);
    },
  });
  counter('belay_sweep_releases_total', 'Releases looked at, or not.', 'outcome', () => stats().releases);
  counter(
    'belay_sweep_unchecked_objects_total',
    'Objects that could not be looked at.',
    'why',
    () => stats().unchecked,
  );
  counter('belay_sweep_repairs_total', 'What became of repairs.', 'result', () => stats().repairs);
  new Counter({
    name: 'belay_sweep_objects_total',
    help: 'Objects looked at.',
    registers,
    collect() {
      this.reset();
      this.inc(stats().objects);
    },
  });

  new Counter({
    name: 'belay_sweep_requests_total',
    help: 'Requests of the sweep to the API server.',
    registers,
    collect() {
      this.reset();
      this.inc(requests());
    },
  });
};
