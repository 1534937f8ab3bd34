import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchEvent } from '../../../src/kubernetes/api.ts';
import { createAccess } from '../../memory/access.ts';
import type { Caller } from '../../memory/admission.ts';
import { createApiServer } from '../../memory/api-server.ts';
import { createClock } from '../../memory/clock.ts';
import { reviewOf } from '../../memory/review-of.ts';
import { EXCHANGES } from '../../recording/exchanges.ts';
import { readRecording } from '../../recording/recorded.ts';
import { type Answerer, runExchanges } from '../../recording/run-exchanges.ts';

/** The API server in memory answers what the real one was recorded to answer (test/cluster/recording.test.ts compares that one). */

const admin: Caller = { user: { username: 'admin', groups: ['system:masters'] }, manager: 'recording' };

const memoryAnswerer = async (): Promise<Answerer> => {
  const access = createAccess();
  access.bind('ann', 'edit', 'shop');
  const server = createApiServer(createClock(), access);
  const namespaces = { method: 'POST', path: '/api/v1/namespaces' } as const;
  await server.answer({ ...admin, manager: 'kubectl-create' }, { ...namespaces, body: { metadata: { name: 'shop' } } });
  await server.answer(admin, { ...namespaces, body: { metadata: { name: 'other' } } });
  let reviews: unknown[] = [];
  server.admitBy({
    mutate: async (_attempt, after) => after,
    validate: async (attempt) => {
      reviews.push(reviewOf(attempt));
    },
  });
  return {
    answer: (request) => server.answer(admin, request),
    watch: async (request) => {
      const events: WatchEvent[] = [];
      const stop = new AbortController();
      const { method: _method, body: _body, contentType: _type, ...asked } = request;
      const following = (async () => {
        for await (const event of server.watch({ ...asked, signal: stop.signal })) events.push(event);
      })();
      await server.settled();
      stop.abort();
      await following;
      return events;
    },
    reviews: () => {
      const taken = reviews;
      reviews = [];
      return taken;
    },
  };
};

const { exchanges: recorded } = await readRecording();
const answered = await runExchanges(await memoryAnswerer());

test('all that is asked was recorded', () =>
  assert.deepEqual(
    recorded.map(({ what }) => what),
    EXCHANGES.map(({ what }) => what),
  ));

for (const [index, exchange] of recorded.entries()) {
  test(`${exchange.what}`, () => assert.deepEqual(answered[index], exchange));
}
