import { Counter, type Registry } from 'prom-client';
import type { Events } from './events.ts';

/** Whether the Events that people look for are written, and if not, why. */
export const registerEventMetrics = (registry: Registry, events: Pick<Events, 'counts'>): void => {
  new Counter({
    name: 'belay_events_written_total',
    help: 'Kubernetes Events created or added to.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(events.counts().written);
    },
  });
  new Counter({
    name: 'belay_events_held_total',
    help: 'Occurrences that wrote no Event of their own because there was one less than a minute before; the next one counts them.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(events.counts().held);
    },
  });
  new Counter({
    name: 'belay_events_dropped_total',
    help: 'Kubernetes Events not written: no room in the queue, over the limit of a release or namespace, or not taken by the API server.',
    labelNames: ['cause'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [cause, count] of Object.entries(events.counts().dropped)) this.inc({ cause }, count);
    },
  });
};
