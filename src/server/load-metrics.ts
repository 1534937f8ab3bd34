import { Gauge, type Registry } from 'prom-client';

/** The things that reviews wait for. Each has its own bound. */
export interface Load {
  readonly apiRunning: () => number;
  readonly apiWaiting: () => number;
  readonly decoderWaiting: () => number;
}

/** Metrics that tell why reviews are answered without a verdict, or whether that is about to happen. */
export const registerLoadMetrics = (registry: Registry, load: Load): void => {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge('belay_api_requests_in_flight', 'Requests of reviews to the API server that are under way.', load.apiRunning);
  gauge(
    'belay_api_requests_waiting',
    'Requests of reviews to the API server that wait for their turn.',
    load.apiWaiting,
  );
  gauge('belay_decoder_queue', 'Payloads that wait for a thread that decodes them.', load.decoderWaiting);
};
