import { Counter, Gauge, type Registry } from 'prom-client';

type Series = () => Iterable<readonly [label: string, value: number]>;

/** Registers metrics whose values are kept elsewhere. `read` is called for each scrape. */
export interface CollectedMetrics {
  gauge(name: string, help: string, read: () => number): void;
  counter(name: string, help: string, read: () => number): void;
  /** A series for each value of one label. */
  gaugeByLabel(name: string, help: string, label: string, read: Series): void;
  counterByLabel(name: string, help: string, label: string, read: Series): void;
}

export const collectedMetrics = (registry: Registry): CollectedMetrics => {
  const registers = [registry];
  return {
    gauge: (name, help, read) => {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
    },
    counter: (name, help, read) => {
      const collect = (): void => {
        counter.reset();
        counter.inc(read());
      };
      const counter = new Counter({ name, help, registers, collect });
    },
    gaugeByLabel: (name, help, label, read) => {
      const collect = (): void => {
        gauge.reset();
        for (const [value, count] of read()) gauge.set({ [label]: value }, count);
      };
      const gauge = new Gauge({ name, help, labelNames: [label], registers, collect });
    },
    counterByLabel: (name, help, label, read) => {
      const collect = (): void => {
        counter.reset();
        for (const [value, count] of read()) counter.inc({ [label]: value }, count);
      };
      const counter = new Counter({ name, help, labelNames: [label], registers, collect });
    },
  };
};
