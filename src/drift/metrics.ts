import { Gauge, type Registry } from 'prom-client';
import { collectedMetrics } from '../telemetry/collected-metrics.ts';
import type { SweepStats } from './sweep-stats.ts';

/** Releases with a series of their own, those with the most drifted objects first: a label's values must not grow with the cluster. */
const MAX_RELEASES = 200;

/** What the sweep finds and does. Only the elected replica has drift to show. */
export const registerDriftMetrics = (registry: Registry, stats: () => SweepStats, requests: () => number): void => {
  registerDriftedReleases(registry, stats);
  registerSweep(registry, stats);
  const { counterByLabel, counter } = collectedMetrics(registry);
  counterByLabel('belay_sweep_releases_total', 'Releases looked at, or not.', 'outcome', () => stats().releases);
  counterByLabel(
    'belay_sweep_unchecked_objects_total',
    'Objects that could not be looked at.',
    'why',
    () => stats().unchecked,
  );
  counterByLabel('belay_sweep_repairs_total', 'What became of repairs.', 'result', () => stats().repairs);
  counter('belay_sweep_objects_total', 'Objects looked at.', () => stats().objects);
  counter('belay_sweep_requests_total', 'Requests of the sweep to the API server.', requests);
};

const registerDriftedReleases = (registry: Registry, stats: () => SweepStats): void => {
  new Gauge({
    name: 'belay_drifted_objects',
    help: `Objects that are not as the chart has them, of the ${MAX_RELEASES} releases that have most of them.`,
    labelNames: ['namespace', 'release'],
    registers: [registry],
    collect() {
      this.reset();
      const most = [...stats().driftedReleases()].toSorted((a, b) => b.objects - a.objects).slice(0, MAX_RELEASES);
      for (const { release, objects } of most)
        this.set({ namespace: release.namespace, release: release.name }, objects);
    },
  });
  collectedMetrics(registry).gaugeByLabel(
    'belay_drifted_objects_all',
    'Objects that are not as the chart has them, of all releases.',
    'drift',
    () => Object.entries(stats().driftedObjects()),
  );
};

const registerSweep = (registry: Registry, stats: () => SweepStats): void => {
  const { gauge } = collectedMetrics(registry);
  gauge('belay_sweep_leading', 'Whether this replica is the one that sweeps and has the right to.', () => {
    const { leading, enabled } = stats();
    return leading && enabled === true ? 1 : 0;
  });
  gauge('belay_sweep_backlog', 'Releases that are due and have not been looked at yet.', () => stats().backlog);
  gauge(
    'belay_sweep_last_pass_seconds',
    'How long it took the last time to look at all releases that were due.',
    () => (stats().lastPass?.ms ?? 0) / 1000,
  );
  gauge(
    'belay_sweep_last_pass_releases',
    'How many releases were looked at then.',
    () => stats().lastPass?.releases ?? 0,
  );
};
