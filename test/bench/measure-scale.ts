import { setTimeout as sleep } from 'node:timers/promises';
import { recordName } from '../../src/helm/record.ts';
import type { Progress } from '../cluster/harness/progress.ts';
import { waitUntil } from '../cluster/harness/wait-until.ts';
import { editPayload, type StoredRecord } from '../cluster/support/asking.ts';
import { type BenchPlane, namespaceOf, startBenchPlane } from './bench-plane.ts';
import { forAll } from './for-all.ts';
import { forgedReleases, forgeHistory, forgeNamespace } from './forged-history.ts';
import { BUSY, recordKinds } from './measure-throughput.ts';
import { readMetric } from './processor-time.ts';
import { compared, type Line, mebibytes, milliseconds, seconds } from './report.ts';
import { type ResidentMemory, residentMemoryOf } from './resident-memory.ts';
import { openConnection, prepareRequest } from './review-client.ts';
import { median, quantile } from './segments.ts';

/** What Helm keeps of each release. */
const REVISIONS = 10;
/** The figures to reach (docs/benchmarks.md#a-hundred-thousand-records). */
const FIGURES = { residentMib: 256, bytesARecord: 1024, readySeconds: 20 } as const;
/** Of all releases: none, half, all. */
const SHARES = [0, 0.5, 1];

const STARTS = 3;
const OBJECT_REVIEWS = 4_000;
const RECORD_REVIEWS = 300;
const SETTLE_MS = 3_000;

interface Stage {
  readonly records: number;
  readonly readyMs: readonly number[];
  /** Once it was ready. */
  readonly ready: ResidentMemory;
  /** Once it had judged for a while. */
  readonly busy: ResidentMemory;
  readonly objectsMs: readonly number[];
  readonly recordsMs: readonly number[];
}

interface Requests {
  readonly object: Buffer;
  readonly record: Buffer;
}

/** Belay without any records but the benchmark's own, with half of so many releases, and with all of them. On a plane of its own. */
export const measureScale = async (
  releases: number,
  env: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<readonly Line[]> => {
  const plane = await startBenchPlane(env);
  try {
    const requests = await recordReviews(plane);
    const stages: Stage[] = [];
    let stored = 0;
    for (const share of SHARES) {
      const count = Math.round(releases * share);
      if (count > stored) progress.say(`storing ${(count - stored) * REVISIONS} records`);
      await store(plane, releases, stored, count);
      stored = count;
      progress.say(`measuring with ${count} releases`);
      const stage = await measureStage(plane, stored * REVISIONS, requests);
      stages.push(stage);
      const { ready, busy } = stage;
      progress.say(`resident memory: ${mebibytes(ready.nowMib)}, after reviews ${mebibytes(busy.nowMib)}`);
    }
    return toLines(stages, releases);
  } finally {
    await plane.stop();
  }
};

/** What a controller does to an object that the chart says nothing about, and the holder's write of a small record while it is pending. */
const recordReviews = async (plane: BenchPlane): Promise<Requests> => {
  const kinds = await recordKinds(plane);
  const object = kinds.find(({ name }) => name.includes('controller'))?.body;
  const path = `/api/v1/namespaces/${namespaceOf('belay')}/secrets/${recordName(BUSY, 1)}`;
  const record = (await plane.holder.send('GET', path)).body as StoredRecord;
  const release = editPayload(record.data.release, (payload) => {
    payload.info.description = 'Running its hooks';
  });
  const [written] = await plane.record('/validate', async () => {
    await plane.holder.send('PUT', path, { ...record, data: { release } });
  });
  if (object === undefined || written === undefined) throw new Error('the reviews were not recorded');
  return { object: prepareRequest('/validate', object), record: prepareRequest('/validate', written) };
};

const store = async (plane: BenchPlane, releases: number, from: number, to: number): Promise<void> => {
  const all = forgedReleases(releases);
  const added = all.slice(from, to);
  const known = new Set(all.slice(0, from).map(({ namespace }) => namespace));
  const namespaces = new Set(added.map(({ namespace }) => namespace)).difference(known);
  await forAll(plane, namespaces, forgeNamespace);
  await forAll(plane, added, (client, release) => forgeHistory(client, release, REVISIONS));
};

const measureStage = async (plane: BenchPlane, records: number, requests: Requests): Promise<Stage> => {
  const { belay } = plane;
  const readyMs: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    await belay.kill();
    const startMs = performance.now();
    await belay.restart();
    readyMs.push(performance.now() - startMs);
  }
  await waitUntil('the index holds them all', async () => {
    const indexed = await readMetric(plane.belayMetricsUrl, 'belay_index_records');
    return indexed >= records || undefined;
  });
  await sleep(SETTLE_MS);
  const ready = residentMemoryOf(belay.pid);
  const connection = await openConnection(plane.servers.belay);
  const ask = async (request: Buffer, count: number): Promise<readonly number[]> => {
    const tookMs: number[] = [];
    for (let index = 0; index < count; index += 1) tookMs.push(await connection.ask(request));
    return tookMs;
  };
  try {
    // The first ones read the manifest, and find code that has not been compiled.
    await ask(requests.object, OBJECT_REVIEWS);
    await ask(requests.record, RECORD_REVIEWS / 3);
    const objectsMs = await ask(requests.object, OBJECT_REVIEWS);
    const recordsMs = await ask(requests.record, RECORD_REVIEWS);
    return { records, readyMs, ready, objectsMs, recordsMs, busy: residentMemoryOf(belay.pid) };
  } finally {
    connection.close();
  }
};

const toLines = (stages: readonly Stage[], releases: number): readonly Line[] => {
  const [empty] = stages;
  const full = stages.at(-1);
  if (empty === undefined || full === undefined) throw new Error('nothing was measured');
  const growth = (of: (stage: Stage) => ResidentMemory): number =>
    ((of(full).nowMib - of(empty).nowMib) * 2 ** 20) / full.records;
  const perStage = (show: (stage: Stage) => string): string =>
    stages.map((stage) => `${stage.records}: ${show(stage)}`).join('; ');
  const latency = (of: (stage: Stage) => readonly number[]): string =>
    perStage((stage) => `p50 ${milliseconds(median(of(stage)))}, p99 ${milliseconds(quantile(of(stage), 0.99))}`);
  return [
    compared(
      `resident memory with ${releases} releases, ${full.records} records, at most`,
      full.busy.peakMib,
      ['<=', FIGURES.residentMib],
      mebibytes,
      'since its start, after reviews',
    ),
    { what: '  once it is ready', measured: perStage(({ ready }) => mebibytes(ready.nowMib)) },
    { what: '  after reviews', measured: perStage(({ busy }) => mebibytes(busy.nowMib)) },
    compared(
      '  growth a record, once it is ready',
      growth(({ ready }) => ready),
      ['<=', FIGURES.bytesARecord],
      (bytes) => `${bytes.toFixed(0)} bytes`,
    ),
    compared(
      '  from start to ready, median',
      median(full.readyMs) / 1000,
      ['<=', FIGURES.readySeconds],
      seconds,
      perStage(({ readyMs }) => seconds(median(readyMs) / 1000)),
    ),
    { what: '  object review, one at a time', measured: latency(({ objectsMs }) => objectsMs) },
    { what: '  record review, one at a time', measured: latency(({ recordsMs }) => recordsMs) },
  ];
};
