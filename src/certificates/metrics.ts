import type { Registry } from 'prom-client';
import { collectedMetrics } from '../telemetry/collected-metrics.ts';
import { readCertificate } from './bundle.ts';
import type { Keeper } from './keeper.ts';

/** For how long the certificates are still valid, and whether Belay manages to keep them in order. */
export const registerCertificateMetrics = (registry: Registry, source: Pick<Keeper, 'current' | 'stats'>): void => {
  const { counter, counterByLabel, gaugeByLabel } = collectedMetrics(registry);
  const expirySeconds = function* (): Generator<readonly [string, number]> {
    const current = source.current();
    for (const [certificate, pem] of [
      ['serving', current?.cert],
      ['authority', current?.ca],
    ] as const) {
      const expiryMs = readCertificate(pem)?.validToDate.getTime();
      if (expiryMs !== undefined) yield [certificate, expiryMs / 1000];
    }
  };
  gaugeByLabel(
    'belay_certificate_expiry_timestamp_seconds',
    'When a certificate expires: the one that is served, and the first one in ca.crt, its authority.',
    'certificate',
    expirySeconds,
  );
  counterByLabel(
    'belay_certificate_steps_total',
    'Steps of renewals and rotations that this replica took.',
    'step',
    () => Object.entries(source.stats().steps),
  );
  counterByLabel(
    'belay_certificate_failures_total',
    'What stood in the way of keeping certificates in order.',
    'failure',
    () => Object.entries(source.stats().failures),
  );
  counter(
    'belay_certificate_reloads_total',
    'Certificates that this replica began to serve.',
    () => source.stats().reloads,
  );
};
