import { cpus, totalmem } from 'node:os';
import { createProgress, type Progress } from '../cluster/harness/progress.ts';
import { type BenchPlane, startBenchPlane } from './bench-plane.ts';
import { measureFloods } from './measure-floods.ts';
import { measureOverload } from './measure-overload.ts';
import { measureRecordWrites } from './measure-records.ts';
import { measureScale } from './measure-scale.ts';
import { measureStart } from './measure-start.ts';
import { measureSweep } from './measure-sweep.ts';
import { measureThroughput } from './measure-throughput.ts';
import { measureWrites } from './measure-writes.ts';
import { type Line, toTable } from './report.ts';

/**
 * `make bench`: Belay beside a bare https server, in front of a real API server, in one run. Prints the figures to reach (docs/benchmarks.md#results)
 * beside what it measured. Missing one is no failure: how fast a machine is proves nothing about the code.
 *
 *   BENCH_SECONDS=60     how long to measure in all; 200 unless told
 *   BENCH_ONLY=writes    throughput, writes, records, start or overload alone; or sweep, scale or floods, which run only when they are named
 *   BENCH_RELEASES=1000  how many releases those two are measured with; 1,000 and 10,000 unless told
 *   BENCH_NODE_OPTIONS=…  for Belay's Node, such as `--cpu-prof --cpu-prof-dir=/tmp/profile`
 */
const DEFAULT_SECONDS = 200;

const MEASURES: readonly {
  readonly name: string;
  readonly share: number;
  readonly measure: (plane: BenchPlane, forMs: number) => Promise<readonly Line[]>;
}[] = [
  { name: 'throughput', share: 0.25, measure: measureThroughput },
  { name: 'writes', share: 0.5, measure: measureWrites },
  { name: 'records', share: 0.25, measure: measureRecordWrites },
  { name: 'start', share: 0.05, measure: measureStart },
  // The last one: what it leaves behind in Belay would be in the way of the others.
  { name: 'overload', share: 0.1, measure: measureOverload },
];

/** Each on a plane of its own, and left out unless it is named. */
const ALONE: Readonly<
  Record<
    string,
    {
      readonly releases: number;
      readonly measure: (
        releases: number,
        env: Readonly<Record<string, string>>,
        progress: Progress,
      ) => Promise<readonly Line[]>;
    }
  >
> = {
  sweep: { releases: 1_000, measure: measureSweep },
  scale: { releases: 10_000, measure: measureScale },
  floods: { releases: 400, measure: measureFloods },
};

const { BENCH_SECONDS, BENCH_ONLY, BENCH_NODE_OPTIONS, BENCH_RELEASES } = process.env;
const forSeconds = Number(BENCH_SECONDS || DEFAULT_SECONDS);
if (!(forSeconds > 0)) throw new Error('BENCH_SECONDS must be a number of seconds');
const wanted = MEASURES.filter(({ name }) => !BENCH_ONLY || name === BENCH_ONLY);
const names = [...MEASURES.map(({ name }) => name), ...Object.keys(ALONE)];
if (BENCH_ONLY && !names.includes(BENCH_ONLY)) throw new Error(`BENCH_ONLY must be one of ${names.join(', ')}`);

const progress = createProgress();
const env = BENCH_NODE_OPTIONS ? { NODE_OPTIONS: BENCH_NODE_OPTIONS } : {};
const alone = ALONE[BENCH_ONLY ?? ''];
if (alone !== undefined) {
  const releases = Number(BENCH_RELEASES || alone.releases);
  if (!(Number.isInteger(releases) && releases > 0)) throw new Error('BENCH_RELEASES must be a number of releases');
  console.log(`\n${toTable(await alone.measure(releases, env, progress))}`);
  process.exit(0);
}
const plane = await startBenchPlane(env);
const lines: Line[] = [];
try {
  const total = wanted.reduce((sum, { share }) => sum + share, 0);
  for (const { name, share, measure } of wanted) {
    const forMs = (forSeconds * 1000 * share) / total;
    progress.say(`measuring ${name}: about ${Math.round(forMs / 1000)} s`);
    lines.push(...(await measure(plane, forMs)));
  }
} finally {
  await plane.stop();
}
const [cpu] = cpus();
console.log(`
Belay beside a bare https server that parses the body and allows (test/bench/bare-server.ts). Node ${process.version}, ${cpus().length} cores
(${cpu?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB; API server, etcd, both servers and the load generator share them.

${toTable(lines)}`);
