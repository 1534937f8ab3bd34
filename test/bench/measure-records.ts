import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchPlane, deploymentPath, MERGE, namespaceOf, type Server, SIDES, type Side } from './bench-plane.ts';
import { type BigRecord, createBigRecord } from './big-record.ts';
import { addedMs } from './measure-writes.ts';
import { readMetric } from './processor-time.ts';
import { compared, type Line, milliseconds, times } from './report.ts';
import { openConnection, prepareRequest } from './review-client.ts';
import { interleave, median, quantile } from './segments.ts';

const WRITES_A_SEGMENT = 3;
/** More than any cache of Belay's may hold of them. */
const RECORDED_REVIEWS = 16;
const OBJECT_REVIEW_EVERY_MS = 3;

/** Writes of a record of 1 MB by the holder of a pending operation, as Helm does around its hooks. */
export const measureRecordWrites = async (plane: BenchPlane, forMs: number): Promise<readonly Line[]> => {
  const records = {} as Record<Side, BigRecord>;
  for (const side of SIDES) {
    const record = createBigRecord(namespaceOf(side));
    records[side] = record;
    await plane.holder.send('POST', record.path.replace(/\/[^/]+$/, ''), record.at(0));
  }
  let runs = 0;
  const write = async (side: Side): Promise<number> => {
    runs += 1;
    const body = Buffer.from(JSON.stringify(records[side].at(runs)));
    return (await plane.holder.send('PUT', records[side].path, body)).ms;
  };
  const segment = async (side: Side): Promise<readonly number[]> => {
    const tookMs: number[] = [];
    for (let index = 0; index < WRITES_A_SEGMENT; index += 1) tookMs.push(await write(side));
    return tookMs;
  };
  await interleave(SIDES, { forMs: 0, minCycles: 1, maxCycles: 1 }, segment);
  const cycles = await interleave(SIDES, { forMs: forMs * 0.6, minCycles: 3, maxCycles: 100 }, segment);
  const added = (side: Side): number => addedMs(cycles, side, 0.5);
  const without = median(cycles.map(({ none }) => median(none)));
  return [
    {
      what: 'write of a record of 1 MB, no webhook',
      measured: `p50 ${milliseconds(without)} (${cycles.length} cycles of ${WRITES_A_SEGMENT} writes each way)`,
    },
    compared(
      '  added p50, to the bare server',
      added('belay') / added('bare'),
      ['<=', 1.2],
      times,
      `Belay adds ${milliseconds(added('belay'))}, the bare server ${milliseconds(added('bare'))}`,
    ),
    ...(await measureRecordReviews(plane, forMs * 0.4, () => write('belay'))),
  ];
};

/** The reviews alone, without the API server's part, and object reviews that come meanwhile. */
const measureRecordReviews = async (
  plane: BenchPlane,
  forMs: number,
  write: () => Promise<unknown>,
): Promise<readonly Line[]> => {
  const bodies = await plane.record('/validate', async () => {
    for (let index = 0; index < RECORDED_REVIEWS; index += 1) await write();
  });
  const [objectBody] = await plane.record('/validate', async () => {
    const patch = { metadata: { annotations: { 'example.com/checked-at': 'later' } } };
    await plane.serviceAccount.send('PATCH', deploymentPath('belay'), patch, MERGE);
  });
  if (objectBody === undefined || bodies.length === 0) throw new Error('no review was recorded');
  const requests = bodies.map((body) => prepareRequest('/validate', body));
  const objectRequest = prepareRequest('/validate', objectBody);

  const run = async (server: Server, withRecords: boolean): Promise<Meanwhile> => {
    const [forRecords, forObjects] = await Promise.all([
      openConnection(plane.servers[server]),
      openConnection(plane.servers[server]),
    ]);
    try {
      // The API server's connections are old ones, whose window has grown.
      const [first] = requests;
      if (withRecords && first !== undefined) await forRecords.ask(first);
      // prom-client starts its histogram of the event loop anew each time it is read.
      if (server === 'belay') await readMetric(plane.belayMetricsUrl, LAG_MAX);
      let isDone = false;
      const objects: number[] = [];
      const asking = (async () => {
        while (!isDone) {
          objects.push(await forObjects.ask(objectRequest));
          await sleep(OBJECT_REVIEW_EVERY_MS);
        }
      })();
      const recordsMs: number[] = [];
      if (withRecords) for (const request of requests) recordsMs.push(await forRecords.ask(request));
      else await sleep(300);
      isDone = true;
      await asking;
      const stallMs =
        server === 'belay' ? (await readMetric(plane.belayMetricsUrl, LAG_MAX)) * 1000 - LAG_RESOLUTION_MS : 0;
      return { objects, records: recordsMs, stallMs };
    } finally {
      forRecords.close();
      forObjects.close();
    }
  };
  const limits = { forMs, minCycles: 2, maxCycles: 40 };
  const sides = ['bare', 'belay', 'belay alone'] as const;
  const runSide = (side: (typeof sides)[number]): Promise<Meanwhile> =>
    side === 'belay alone' ? run('belay', false) : run(side, true);
  await interleave(sides, { forMs: 0, minCycles: 1, maxCycles: 1 }, runSide);
  const cycles = await interleave(sides, limits, runSide);
  const records = (server: Server): readonly number[] => cycles.flatMap((cycle) => cycle[server].records);
  const objects = (side: (typeof sides)[number], q: number): string =>
    milliseconds(
      quantile(
        cycles.flatMap((cycle) => cycle[side].objects),
        q,
      ),
    );
  const size = `${((bodies[0]?.length ?? 0) / 1024 / 1024).toFixed(1)} MiB`;
  return [
    compared(
      `review of such a record (${size}), p99`,
      quantile(records('belay'), 0.99),
      ['<=', 30],
      milliseconds,
      `p50 ${milliseconds(median(records('belay')))}; bare server p50 ${milliseconds(median(records('bare')))}, p99 ${milliseconds(quantile(records('bare'), 0.99))}; ${records('belay').length} reviews`,
    ),
    compared(
      '  event loop held up meanwhile, longest',
      median(cycles.map(({ belay }) => belay.stallMs)),
      ['<=', 10],
      milliseconds,
      `median of ${cycles.length} segments of ${requests.length} reviews; alone ${milliseconds(median(cycles.map((cycle) => cycle['belay alone'].stallMs)))}`,
    ),
    {
      what: '  object reviews meanwhile',
      measured: `p50 ${objects('belay', 0.5)}, p99 ${objects('belay', 0.99)}; bare server's ${objects('bare', 0.5)}, ${objects('bare', 0.99)}; Belay without records ${objects('belay alone', 0.5)}, ${objects('belay alone', 0.99)}`,
    },
  ];
};

interface Meanwhile {
  readonly objects: readonly number[];
  readonly records: readonly number[];
  readonly stallMs: number;
}

const LAG_MAX = 'nodejs_eventloop_lag_max_seconds';
/** The histogram ticks this often (prom-client's eventLoopMonitoringPrecision), and an idle loop shows just that. */
const LAG_RESOLUTION_MS = 10;
