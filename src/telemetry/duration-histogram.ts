/** The values of one label. */
interface Series {
  /** Not cumulative: one each, and the last for whatever is longer than all bounds. */
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram with one label, for a registry of prom-client. prom-client's own checks and hashes the labels for every value, which
 * takes about as long as to judge a review; this one looks the series up and adds.
 */
export class DurationHistogram {
  readonly #series = new Map<string, Series>();
  readonly name: string;
  readonly help: string;
  /** As prom-client's metrics have it. */
  readonly labelNames: readonly [string];
  readonly boundsSeconds: readonly number[];

  constructor(options: { name: string; help: string; label: string; boundsSeconds: readonly number[] }) {
    ({ name: this.name, help: this.help, boundsSeconds: this.boundsSeconds } = options);
    this.labelNames = [options.label];
  }

  observe(labelValue: string, seconds: number): void {
    let series = this.#series.get(labelValue);
    if (series === undefined) {
      series = { counts: [...this.boundsSeconds, Number.POSITIVE_INFINITY].map(() => 0), sum: 0 };
      this.#series.set(labelValue, series);
    }
    let index = 0;
    while (index < this.boundsSeconds.length && seconds > (this.boundsSeconds[index] ?? 0)) index += 1;
    series.counts[index] = (series.counts[index] ?? 0) + 1;
    series.sum += seconds;
  }

  /** As prom-client's registry asks for it. */
  async get(): Promise<object> {
    const [label] = this.labelNames;
    const values = [...this.#series].flatMap(([value, { counts, sum }]) => {
      const labels = { [label]: value };
      let total = 0;
      const buckets = counts.map((count, index) => {
        total += count;
        return {
          metricName: `${this.name}_bucket`,
          labels: { le: this.boundsSeconds[index] ?? '+Inf', ...labels },
          value: total,
        };
      });
      return [
        ...buckets,
        { metricName: `${this.name}_sum`, labels, value: sum },
        { metricName: `${this.name}_count`, labels, value: total },
      ];
    });
    return { name: this.name, help: this.help, type: 'histogram', aggregator: 'sum', values };
  }
}
