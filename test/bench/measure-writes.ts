import { type BenchPlane, deploymentPath, MERGE, SIDES, type Side } from './bench-plane.ts';
import { compared, type Line, milliseconds, times } from './report.ts';
import { interleave, median, quantile } from './segments.ts';

const WRITES_A_SEGMENT = 100;

/** What one side's segments took longer than those beside them without a webhook: the median over the cycles. */
export const addedMs = (cycles: readonly Record<Side, readonly number[]>[], side: Side, q: number): number =>
  median(cycles.map((cycle) => quantile(cycle[side], q) - quantile(cycle.none, q)));

/** Latency of a controller's write of a governed object, as the API server's clients see it. */
export const measureWrites = async (plane: BenchPlane, forMs: number): Promise<readonly Line[]> => {
  let count = 0;
  const run =
    (writes: number) =>
    async (side: Side): Promise<readonly number[]> => {
      const tookMs: number[] = [];
      for (let index = 0; index < writes; index += 1) {
        count += 1;
        const patch = { metadata: { annotations: { 'example.com/checked-at': String(count) } } };
        tookMs.push((await plane.serviceAccount.send('PATCH', deploymentPath(side), patch, MERGE)).ms);
      }
      return tookMs;
    };
  await interleave(SIDES, { forMs: 0, minCycles: 2, maxCycles: 2 }, run(WRITES_A_SEGMENT));
  const cycles = await interleave(SIDES, { forMs, minCycles: 3, maxCycles: 150 }, run(WRITES_A_SEGMENT));
  const added = (side: Side, q: number): number => addedMs(cycles, side, q);
  const detail = (q: number): string =>
    `Belay adds ${milliseconds(added('belay', q))}, the bare server ${milliseconds(added('bare', q))}`;
  const without = median(cycles.map(({ none }) => median(none)));
  return [
    {
      what: 'write of a governed object, no webhook',
      measured: `p50 ${milliseconds(without)} (${cycles.length} cycles of ${WRITES_A_SEGMENT} writes each way)`,
    },
    compared(
      '  added p50, to the bare server',
      added('belay', 0.5) / added('bare', 0.5),
      ['<=', 1.3],
      times,
      detail(0.5),
    ),
    compared('  added p99', added('belay', 0.99) / added('bare', 0.99), ['<=', 1.5], times, detail(0.99)),
  ];
};
