import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordName } from '../../src/helm/record.ts';
import { type BenchPlane, deploymentPath, MERGE, namespaceOf, RELEASE } from './bench-plane.ts';
import { createBigRecord } from './big-record.ts';
import { readSamples } from './processor-time.ts';
import { compared, type Line, mebibytes, milliseconds } from './report.ts';
import { residentMemoryOf } from './resident-memory.ts';
import { openConnection, prepareRequest, type ReviewConnection } from './review-client.ts';
import { quantile } from './segments.ts';

/** manifests/base/deployment.yaml: beyond, the process would be ended. */
const MAX_RESIDENT_MIB = 512;
/** What the webhooks of the API server wait (manifests/base), and so what the URL says. */
const TIMEOUT_MS = 10_000;
const REJECT_AFTER_MS = 60_000;

/** The rule's answer, by what it has to be. */
type Right = 'allowed' | 'denied';

interface Flood {
  readonly what: string;
  readonly connections: number;
  readonly right: Right;
  readonly body: Buffer;
}

/** What became of one flood's requests. */
type Fate = 'allowed' | 'denied' | 'passed unchecked' | 'BelayUnavailable' | 'HTTP 503' | 'no answer' | 'else';

const fateOf = (answer: string): Fate => {
  if (answer.startsWith('HTTP/1.1 503')) return 'HTTP 503';
  if (answer.includes('"allowed":true')) return answer.includes('"unchecked"') ? 'passed unchecked' : 'allowed';
  if (answer.includes('"allowed":false')) return answer.includes('BelayUnavailable') ? 'BelayUnavailable' : 'denied';
  return 'else';
};

/** Far more than one process can answer, all at once: what is refused, what passes, how long it takes and what memory it costs. */
export const measureOverload = async (plane: BenchPlane, forMs: number): Promise<readonly Line[]> => {
  const floods = await recordFloods(plane);
  const before = await readSamples(plane.belayMetricsUrl);
  const delay = monitorEventLoopDelay({ resolution: 20 });
  let isOver = false;
  const results = floods.map((flood) => ({ flood, fates: new Map<Fate, number>(), tookMs: [] as number[] }));
  const ask = async (connection: ReviewConnection, { flood, fates, tookMs }: (typeof results)[number]) => {
    const request = prepareRequest('/validate', flood.body);
    const count = (fate: Fate): void => {
      fates.set(fate, (fates.get(fate) ?? 0) + 1);
    };
    try {
      while (!isOver) {
        const { answer, ms } = await connection.exchange(request);
        count(fateOf(answer));
        tookMs.push(ms);
      }
    } catch {
      count('no answer');
    } finally {
      connection.close();
    }
  };
  // Handshakes are a flood of their own, and the API server keeps its connections.
  const opened: { connection: ReviewConnection; result: (typeof results)[number] }[] = [];
  for (const result of results)
    for (let index = 0; index < result.flood.connections; index += 1)
      opened.push({ connection: await openConnection(plane.servers.belay, REJECT_AFTER_MS), result });
  const asking = Promise.all(opened.map(({ connection, result }) => ask(connection, result)));
  delay.enable();
  await sleep(forMs);
  isOver = true;
  await asking;
  delay.disable();
  const after = await readSamples(plane.belayMetricsUrl);
  const { nowMib, peakMib } = residentMemoryOf(plane.belay.pid);
  const all = results.flatMap(({ tookMs }) => tookMs);
  const wrong = results.reduce((sum, { flood, fates }) => sum + wrongOnes(flood, fates), 0);
  const unjudged = [...after]
    .filter(([name]) => name.startsWith('belay_reviews_without_verdict_total'))
    .map(([name, value]) => `${/\{(.*)\}/.exec(name)?.[1]} ${value - (before.get(name) ?? 0)}`);
  return [
    ...results.map(({ flood, fates, tookMs }) => ({
      what: `overload: ${flood.what}, ${flood.connections} at once`,
      measured: `${[...fates].map(([fate, count]) => `${fate} ${count}`).join(', ')}; ${showTimes(tookMs)}`,
    })),
    compared('  reviews answered against their rule, but for objects', wrong, ['<=', 0], String),
    compared(
      '  longest time to an answer',
      quantile(all, 1),
      ['<=', TIMEOUT_MS],
      milliseconds,
      `${all.length} answers`,
    ),
    compared('  resident memory, at most', peakMib, ['<=', MAX_RESIDENT_MIB], mebibytes, `${mebibytes(nowMib)} after`),
    { what: '  belay_reviews_without_verdict_total', measured: unjudged.join('; ') || 'none' },
  ];
};

const showTimes = (tookMs: readonly number[]): string =>
  tookMs.length === 0
    ? 'no answer at all'
    : `p50 ${milliseconds(quantile(tookMs, 0.5))}, longest ${milliseconds(quantile(tookMs, 1))}`;

/** What is to be denied passes only where objects fail open. */
const wrongOnes = ({ right }: Flood, fates: ReadonlyMap<Fate, number>): number =>
  right === 'denied' ? (fates.get('allowed') ?? 0) + (fates.get('passed unchecked') ?? 0) : (fates.get('denied') ?? 0);

/** Reviews as the API server sends them: of a release at work, and of one that is frozen. */
const recordFloods = async (plane: BenchPlane): Promise<readonly Flood[]> => {
  const { holder, serviceAccount } = plane;
  const namespace = namespaceOf('belay');
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const one = async (writes: () => Promise<unknown>): Promise<Buffer> => {
    const [body] = await plane.record('/validate', async () => {
      await writes();
    });
    if (body === undefined) throw new Error('no review was recorded');
    return body;
  };
  const pending = createBigRecord(namespace, { name: 'flood', revision: 1, status: 'pending-install' });
  await holder.send('POST', secrets, pending.at(0));
  const update = await one(() => holder.send('PUT', pending.path, pending.at(1)));
  const annotate = { metadata: { annotations: { 'example.com/checked-at': 'under load' } } };
  const annotation = await one(() => serviceAccount.send('PATCH', deploymentPath('belay'), annotate, MERGE));

  const freeze = { metadata: { annotations: { 'belay.dev/freeze': 'overload' } } };
  await holder.send('PATCH', `${secrets}/${recordName(RELEASE, 1)}`, freeze, MERGE);
  const next = createBigRecord(namespace, { name: RELEASE, revision: 2, status: 'pending-upgrade' });
  // Belay refuses both, and the recorder is asked all the same.
  const refused = (write: Promise<unknown>): Promise<unknown> =>
    write.then(
      () => Promise.reject(new Error('a frozen release was changed')),
      () => undefined,
    );
  const start = await one(() => refused(holder.send('POST', secrets, next.at(0))));
  const removal = await one(() => refused(holder.send('DELETE', deploymentPath('belay'))));
  return [
    { what: 'updates of a record of 1 MB', connections: 48, right: 'allowed', body: update },
    { what: 'upgrades of a frozen release, 1 MB', connections: 48, right: 'denied', body: start },
    { what: 'DELETEs of an object of it', connections: 100, right: 'denied', body: removal },
    { what: "a controller's annotations", connections: 300, right: 'allowed', body: annotation },
  ];
};
