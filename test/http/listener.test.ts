import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import { describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import request from 'supertest';
import { createDrain } from '../../src/server/drain.ts';
import { type KeyPair, type KeyPairSource, type RunningServer, startServer } from '../../src/server/listener.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { startMetricsServer } from '../../src/server/metrics-listener.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { admissionReview } from './admission-review.ts';
import { createKeyPair } from './key-pair.ts';
import { allowed, createTestApp, type TestApp } from './test-app.ts';

const first = createKeyPair('first');
const second = createKeyPair('second');

type Context = { after: (close: () => void) => void };

const createSource = (initial?: KeyPair): KeyPairSource & { set(pair: KeyPair): void; listeners: Set<unknown> } => {
  let pair = initial;
  const listeners = new Set<(pair: KeyPair) => void>();
  return {
    listeners,
    current: () => pair,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set: (next) => {
      pair = next;
      for (const listener of listeners) listener(next);
    },
  };
};

const silent = createLog({ write: () => {} });

const start = async (t: Context, source: KeyPairSource, { app }: TestApp = createTestApp()): Promise<RunningServer> => {
  const server = await startServer({ app, address: '127.0.0.1', port: 0, source, log: silent });
  t.after(() => {
    server.closeNow();
    void server.close();
  });
  return server;
};

const handshake = async (port: number): Promise<TLSSocket> => {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return socket;
};

const commonName = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject?.CN);

/** One keep-alive connection, as the API server holds it. */
const createClient = (t: Context, port: number) => {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    maxCachedSessions: 0,
    ca: [first.cert, second.cert],
    servername: 'localhost',
  });
  t.after(() => agent.destroy());
  const body = JSON.stringify(admissionReview());
  return async (): Promise<{ status: number; connection: string | undefined; cn: string }> => {
    const post = httpsRequest({
      port,
      host: '127.0.0.1',
      agent,
      method: 'POST',
      path: '/validate?timeout=10s',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    let cn = '';
    // As the answer arrives: once it says `connection: close`, the socket soon forgets whom it spoke to.
    post.on('socket', (socket: TLSSocket) => {
      if (socket.getPeerCertificate().subject) cn = commonName(socket);
      else socket.once('secureConnect', () => (cn = commonName(socket)));
    });
    post.end(body);
    const [response] = await once(post, 'response');
    response.resume();
    await once(response, 'end');
    return { status: response.statusCode, connection: response.headers.connection, cn };
  };
};

describe('the TLS listener', () => {
  test('answers a review over a verified connection that stays open', async (t) => {
    const { port } = await start(t, createSource(first));
    const review = createClient(t, port);
    assert.deepEqual(await review(), { status: 200, connection: 'keep-alive', cn: 'first' });
    assert.deepEqual(await review(), { status: 200, connection: 'keep-alive', cn: 'first' });
  });

  test('works with supertest as well as with the API server', async (t) => {
    const { port } = await start(t, createSource(first));
    await request(`https://localhost:${port}`).get('/livez').ca(first.cert).expect(200);
  });

  test('refuses handshakes until there is a certificate, and then serves', async (t) => {
    const source = createSource();
    const { port } = await start(t, source);
    await assert.rejects(handshake(port));
    source.set(first);
    const socket = await handshake(port);
    assert.equal(commonName(socket), 'first');
    socket.destroy();
  });

  test('takes a new certificate without a restart: open connections go on, new ones see it', async (t) => {
    const source = createSource(first);
    const { port } = await start(t, source);
    const before = createClient(t, port);
    assert.equal((await before()).cn, 'first');
    source.set(second);
    assert.deepEqual(await before(), { status: 200, connection: 'keep-alive', cn: 'first' });
    assert.equal((await createClient(t, port)()).cn, 'second');
  });

  test('goes on with the old certificate when the new one is broken', async (t) => {
    const source = createSource(first);
    const { port } = await start(t, source);
    source.set({ key: 'no key', cert: 'no certificate' });
    source.set({ key: first.key, cert: second.cert });
    assert.equal((await createClient(t, port)()).cn, 'first');
  });

  for (const source of [createSource(first), createSource()]) {
    test(`speaks nothing older than TLS 1.2 ${source.current() ? 'from the start' : 'after a reload'}`, async (t) => {
      const { port } = await start(t, source);
      source.set(second);
      const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ciphers: 'DEFAULT:@SECLEVEL=0' };
      const old = connect({ ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
      await assert.rejects(once(old, 'secureConnect'), /protocol|alert/i);
      const tls12 = connect({ ...options, maxVersion: 'TLSv1.2' });
      await once(tls12, 'secureConnect');
      tls12.destroy();
    });
  }

  test('agrees on HTTP/1.1 with a client that would rather have HTTP/2', async (t) => {
    const { port } = await start(t, createSource(first));
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] });
    await once(socket, 'secureConnect');
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  });

  test('survives a client that does not speak TLS, and one that speaks nonsense in it', async (t) => {
    const { port } = await start(t, createSource(first));
    await request(`http://127.0.0.1:${port}`)
      .get('/livez')
      .then(
        () => assert.fail('that was no TLS'),
        () => {},
      );
    const socket = await handshake(port);
    socket.end('nonsense\r\n\r\n');
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 400 /);
    await createClient(t, port)();
  });

  test('to start on a port that is taken is an error', async (t) => {
    const source = createSource(first);
    const { port } = await start(t, source);
    const { app } = createTestApp();
    const again = startServer({ app, address: '127.0.0.1', port, source, log: silent });
    await assert.rejects(again, { code: 'EADDRINUSE' });
    assert.equal(source.listeners.size, 1);
  });
});

describe('draining', () => {
  /** Waits that end when the test says so. */
  const createWaits = () => {
    const pending: { ms: number; end: () => void }[] = [];
    const wait = (ms: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        pending.push({ ms, end: resolve });
        signal.addEventListener('abort', () => resolve());
      });
    return { wait, pending };
  };

  test('is not ready at once, goes on serving, sends clients elsewhere, and then closes', async (t) => {
    const { wait, pending } = createWaits();
    const drain = createDrain({ drainMs: 10_000, log: silent, wait });
    const testApp = createTestApp({ isDraining: drain.isDraining, readiness: () => [drain.check()] });
    const server = await start(t, createSource(first), testApp);
    const review = createClient(t, server.port);
    await request(testApp.app).get('/readyz').expect(200);
    assert.equal((await review()).connection, 'keep-alive');

    const drained = drain.run([server]);
    const { text } = await request(testApp.app).get('/readyz').expect(503);
    assert.match(text, /\[-\] not-draining: shutting down/);
    await request(testApp.app).get('/livez').expect(200);
    assert.deepEqual(await review(), { status: 200, connection: 'close', cn: 'first' });
    assert.equal((await review()).status, 200);
    assert.deepEqual(
      pending.map(({ ms }) => ms),
      [10_000],
    );

    pending[0]?.end();
    await drained;
    await assert.rejects(review(), { code: 'ECONNREFUSED' });
  });

  test('an answer that is under way when the listener closes still arrives', async (t) => {
    const { wait, pending } = createWaits();
    const drain = createDrain({ log: silent, wait });
    let answer = (): void => {};
    const asked = Promise.withResolvers<void>();
    const admit = async () => {
      asked.resolve();
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return allowed;
    };
    const server = await start(t, createSource(first), createTestApp({ admit, isDraining: drain.isDraining }));
    const review = createClient(t, server.port)();
    await asked.promise;
    const drained = drain.run([server]);
    pending[0]?.end();
    await assert.rejects(createClient(t, server.port)(), { code: 'ECONNREFUSED' });
    answer();
    assert.equal((await review).status, 200);
    await drained;
  });

  test('an answer that is not out by the deadline is dropped', async (t) => {
    const { wait, pending } = createWaits();
    const drain = createDrain({ closeDeadlineMs: 5000, log: silent, wait });
    const asked = Promise.withResolvers<void>();
    const admit = () => {
      asked.resolve();
      return new Promise<never>(() => {});
    };
    const startTimer = () => () => {};
    const server = await start(t, createSource(first), createTestApp({ admit, startTimer }));
    const review = createClient(t, server.port)();
    await asked.promise;
    const drained = drain.run([server]);
    pending[0]?.end();
    while (pending.length < 2) await new Promise(setImmediate);
    assert.equal(pending[1]?.ms, 5000);
    pending[1]?.end();
    await assert.rejects(review, { code: 'ECONNRESET' });
    await drained;
  });

  test('a second call joins the first', async () => {
    const { wait, pending } = createWaits();
    const drain = createDrain({ log: silent, wait });
    assert.equal(drain.run([]), drain.run([]));
    assert.equal(pending.length, 1);
  });
});

test('/metrics alone is served by plain HTTP, on a port of its own', async (t) => {
  const metrics = createMetrics();
  const server = await startMetricsServer({ metrics, address: '127.0.0.1', port: 0, log: silent });
  t.after(() => void server.close());
  const url = `http://127.0.0.1:${server.port}`;
  const { text } = await request(url).get('/metrics').expect(200);
  for (const name of [
    'belay_reviews_total',
    'belay_review_duration_seconds',
    'belay_reviews_in_flight',
    'belay_review_deadline_total',
    'belay_malformed_reviews_total',
    'process_cpu_seconds_total',
  ]) {
    assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'));
  }
  await request(url).get('/validate').expect(404);
  await request(url).post('/metrics').expect(405);
});
