import { Counter, type Registry } from 'prom-client';

/** Registers counters whose values by one label are kept elsewhere, and read when they are asked for. */
export const labelledCounters =
  (registry: Registry) =>
  (
    name: string,
    help: string,
    label: string,
    counts: () => Iterable<readonly [value: string, count: number]>,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of counts()) this.inc({ [label]: value }, count);
      },
    });
  };
