import { Counter, Gauge, type Registry } from 'prom-client';
import { labelledCounters } from '../telemetry/labelled-counters.ts';
import { readCertificate } from './bundle.ts';
import type { Keeper } from './keeper.ts';

/** How long the certificates are still good for, and whether keeping them in order works. */
export const registerCertificateMetrics = (registry: Registry, source: Pick<Keeper, 'current' | 'stats'>): void => {
  const registers = [registry];
  const counter = labelledCounters(registry);
  new Gauge({
    name: 'belay_certificate_expiry_timestamp_seconds',
    help: 'When a certificate expires: the one that is served, and the first one in ca.crt, its authority.',
    labelNames: ['certificate'],
    registers,
    collect() {
      this.reset();
      const current = source.current();
      for (const [certificate, pem] of [
        ['serving', current?.cert],
        ['authority', current?.ca],
      ] as const) {
        const expiryMs = readCertificate(pem)?.validToDate.getTime();
        if (expiryMs !== undefined) this.set({ certificate }, expiryMs / 1000);
      }
    },
  });
  counter('belay_certificate_steps_total', 'Steps of renewals and rotations that this replica took.', 'step', () =>
    Object.entries(source.stats().steps),
  );
  counter(
    'belay_certificate_failures_total',
    'What stood in the way of keeping certificates in order.',
    'failure',
    () => Object.entries(source.stats().failures),
  );
  new Counter({
    name: 'belay_certificate_reloads_total',
    help: 'Certificates that this replica began to serve.',
    registers,
    collect() {
      this.reset();
      this.inc(source.stats().reloads);
    },
  });
};
