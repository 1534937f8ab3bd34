import type { Registry } from 'prom-client';
import { collectedMetrics } from '../telemetry/collected-metrics.ts';
import type { Events } from './events.ts';

/** Whether the Events that people look for are written, and if not, why. */
export const registerEventMetrics = (registry: Registry, events: Pick<Events, 'counts'>): void => {
  const { counter, counterByLabel } = collectedMetrics(registry);
  counter('belay_events_written_total', 'Kubernetes Events created or added to.', () => events.counts().written);
  counter(
    'belay_events_held_total',
    'Occurrences that wrote no Event of their own because there was one less than a minute before; the next one counts them.',
    () => events.counts().held,
  );
  counterByLabel(
    'belay_events_dropped_total',
    'Kubernetes Events not written: no room in the queue, over the limit of a release or namespace, or not taken by the API server.',
    'cause',
    () => Object.entries(events.counts().dropped),
  );
};
