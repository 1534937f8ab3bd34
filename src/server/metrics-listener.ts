import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { RunningServer } from './listener.ts';
import type { Metrics } from './metrics.ts';
import { sendJson } from './send.ts';

export interface MetricsListenerOptions {
  readonly metrics: Metrics;
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly log: Logger;
}

/** Serves metrics by plain HTTP on a port of their own: a scraper does not trust Belay's certificate, and the API server needs no metrics. */
export const startMetricsServer = async (options: MetricsListenerOptions): Promise<RunningServer> => {
  const { metrics, address, port, log } = options;
  const { registry } = metrics;
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.split('?', 1)[0] !== '/metrics') return sendJson(response, 404, { error: 'there is /metrics' });
    if (request.method !== 'GET' && request.method !== 'HEAD') return sendJson(response, 405, { error: 'use GET' });
    registry.metrics().then(
      (text) => {
        response.setHeader('content-type', registry.contentType);
        response.end(text);
      },
      (error: unknown) => {
        log.error({ problem: String(error) }, 'the metrics could not be collected');
        sendJson(response, 500, { error: 'the metrics could not be collected' });
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    closeNow: () => server.closeAllConnections(),
  };
};
