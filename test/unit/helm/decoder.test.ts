import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createDecoder, type Decoder } from '../../../src/helm/decoder.ts';
import { createTextMemory } from '../../../src/helm/text-memory.ts';
import { Overload } from '../../../src/kubernetes/overload.ts';

const { signal } = new AbortController();
const decoders: Decoder[] = [];
const start = (threads: number): Decoder => {
  const decoder = createDecoder(createTextMemory(), threads);
  decoders.push(decoder);
  return decoder;
};
after(() => Promise.all(decoders.map((decoder) => decoder.close())));

const payload = (run: number, chart = 'shop', padding = ''): string =>
  Buffer.from(
    JSON.stringify({
      name: 'web',
      version: 1,
      info: { status: `run ${run}` },
      chart: { metadata: { name: chart } },
      padding,
    }),
  ).toString('base64');

const compare = async (decoder: Decoder, before: string, now: string, namespace = 'team') => {
  const answer = await decoder.run<'comparison'>(
    { want: 'comparison', kind: 'ConfigMap', before, after: now },
    namespace,
    signal,
  );
  assert.ok(answer.readable);
  const { result } = answer;
  return [result.before?.status, result.after.status, result.changed];
};

test('a remembered payload is compared like a new one', async () => {
  const decoder = start(1);
  for (let run = 1; run < 4; run += 1) {
    assert.deepEqual(await compare(decoder, payload(run), payload(run + 1)), [`run ${run}`, `run ${run + 1}`, []]);
  }
  assert.deepEqual((await compare(decoder, payload(1), payload(9, 'else')))[2], ['chart']);
  assert.deepEqual((await compare(decoder, payload(9, 'else'), payload(2)))[2], ['chart']);
});

test('a worker decodes a payload that it does not remember', async () => {
  const padding = 'x'.repeat(900_000); // The worker cannot remember all payloads of this size.
  const decoder = start(3);
  const runs = Array.from({ length: 12 }, (_, run) => run);
  const all = await Promise.all(
    runs.map((run) =>
      compare(decoder, payload(run, 'shop', padding), payload(run + 1, 'shop', padding), `team-${run}`),
    ),
  );
  assert.deepEqual(
    all,
    runs.map((run) => [`run ${run}`, `run ${run + 1}`, []]),
  );
  const small = await Promise.all(runs.map((run) => compare(decoder, payload(run), payload(run + 1))));
  assert.deepEqual(
    small,
    runs.map((run) => [`run ${run}`, `run ${run + 1}`, []]),
  );
  const again = await Promise.all(runs.map((run) => compare(decoder, payload(run + 1), payload(run))));
  assert.deepEqual(
    again,
    runs.map((run) => [`run ${run + 1}`, `run ${run}`, []]),
  );
});

test('the same text is one payload in a ConfigMap and another in a Secret, where it is base64 twice', async () => {
  const decoder = start(1);
  const text = payload(1);
  const read = (kind: 'ConfigMap' | 'Secret') =>
    decoder.run<'summary'>({ want: 'summary', kind, payload: text }, 'team', signal);
  assert.equal((await read('ConfigMap')).readable, true);
  assert.equal((await read('Secret')).readable, false);
  assert.equal((await read('ConfigMap')).readable, true);
});

test('an unreadable payload is refused each time', async () => {
  const decoder = start(1);
  for (let time = 0; time < 2; time += 1) {
    const answer = await decoder.run<'summary'>(
      { want: 'summary', kind: 'ConfigMap', payload: 'aGVsbG8=' },
      'team',
      signal,
    );
    assert.deepEqual(answer, { readable: false, problem: 'is not JSON' });
  }
});

test('the memory of bytes comes back, except of texts that the worker remembers', async () => {
  const memory = createTextMemory();
  const compressed = (run: number): string => gzipSync(`{"labels":${run}}`).toString('base64');
  const names = new Map([1, 2].map((run) => [compressed(run), run]));
  const freed: unknown[] = [];
  const free: typeof memory.free = (text) => {
    freed.push(names.get(Buffer.from(text).toString()));
    memory.free(text);
  };
  const decoder = createDecoder({ ...memory, free }, 1);
  decoders.push(decoder);
  const write = async (run: number, nextRun: number) => {
    const [before, now] = [run, nextRun].map((number) => memory.hold(Buffer.from(compressed(number))));
    assert.ok(before && now);
    const job = { want: 'comparison', kind: 'ConfigMap', before, after: now } as const;
    const answer = await decoder.run<'comparison'>(job, 'team', signal);
    assert.deepEqual(answer.readable && answer.result.changed, []);
    assert.deepEqual([before.length, now.length], [0, 0]);
    return freed.splice(0);
  };
  assert.deepEqual(await write(1, 2), []);
  assert.deepEqual(await write(2, 1), [1, 2]);
  assert.deepEqual(await write(1, 1), [1, 1]);
});

/** One more job than may wait is tried by each of so many namespaces. */
const flood = (decoder: Decoder, namespaces: readonly string[], jobs: number) =>
  Promise.allSettled(
    namespaces.flatMap((namespace) =>
      Array.from({ length: jobs }, (_, run) =>
        decoder.run<'summary'>({ want: 'summary', kind: 'ConfigMap', payload: payload(run) }, namespace, signal),
      ),
    ),
  );

test('a job is rejected while the queue is full, and the waiting jobs are still done', async () => {
  const decoder = start(1);
  const answers = await flood(decoder, ['a', 'b', 'c', 'd'], 50);
  const decoded = answers.filter(({ status }) => status === 'fulfilled');
  const turnedAway = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason);
  assert.ok(decoded.length >= 64, `${decoded.length} were decoded`);
  assert.ok(turnedAway.length > 0);
  for (const reason of turnedAway) assert.ok(reason instanceof Overload, String(reason));
  assert.equal(decoder.waiting(), 0);
  assert.deepEqual(await compare(decoder, payload(1), payload(2)), ['run 1', 'run 2', []]);
});

test('the backlog of one namespace leaves room for another, whose job is next', async () => {
  const decoder = start(2);
  // Both threads have started then.
  await Promise.all(['a', 'b'].map((namespace) => compare(decoder, payload(1), payload(2), namespace)));
  const order: string[] = [];
  const loud = Array.from({ length: 100 }, (_, run) =>
    compare(decoder, payload(run), payload(run + 1), 'loud').then(
      () => order.push('loud'),
      () => undefined,
    ),
  );
  await compare(decoder, payload(1), payload(2), 'quiet').then(() => order.push('quiet'));
  await Promise.all(loud);
  assert.ok(order.indexOf('quiet') < 10, order.slice(0, 10).join(' '));
});

test('waiting payloads of one namespace hold some megabytes at most', async () => {
  const decoder = start(1);
  const padding = 'x'.repeat(1_000_000);
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, run) => compare(decoder, payload(run, 'a', padding), payload(run, 'b', padding))),
  );
  assert.ok(answers.filter(({ status }) => status === 'fulfilled').length <= 6);
});

test('a job whose review has ended is finished by its thread, and its memory comes back', async () => {
  const memory = createTextMemory();
  let freed = 0;
  const decoder = createDecoder({ ...memory, free: () => (freed += 1) }, 1);
  decoders.push(decoder);
  await compare(decoder, payload(1), payload(2));
  const deadline = new AbortController();
  const manifest = 'apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n'.repeat(100_000);
  const large = gzipSync(JSON.stringify({ name: 'web', manifest })).toString('base64');
  const text = memory.hold(Buffer.from(large));
  const job = { want: 'documents', kind: 'ConfigMap', payload: text, wanted: undefined } as const;
  const late = decoder.run<'documents'>(job, 'team', deadline.signal);
  deadline.abort(new Error('the review has ended'));
  await assert.rejects(late, { message: 'the review has ended' });
  const before = freed;
  // The same thread answers: it still remembers what it compared before, so it frees both texts.
  await compare(decoder, payload(1), payload(2));
  assert.equal(freed, before + 3);
});

test('a decoder that is closed lets its threads finish what they have begun', async () => {
  const decoder = createDecoder(createTextMemory(), 1);
  const large = gzipSync(JSON.stringify({ name: 'web', manifest: 'x'.repeat(20_000_000) })).toString('base64');
  const running = decoder.run<'summary'>({ want: 'summary', kind: 'ConfigMap', payload: large }, 'team', signal);
  await decoder.close();
  assert.equal((await running).readable, true);
});
