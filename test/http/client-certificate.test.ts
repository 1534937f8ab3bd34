import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { createClientCheck } from '../../src/server/client-certificate.ts';
import { type RunningServer, startServer } from '../../src/server/listener.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { admissionReview } from './admission-review.ts';
import { createKeyPair, issueClientPair } from './key-pair.ts';
import { allowed, createTestApp, type TestApp } from './test-app.ts';

const authority = createKeyPair('cluster');
const stranger = createKeyPair('stranger');
const serving = createKeyPair('belay');

describe('a Belay that takes reviews from the API server only', () => {
  let asked = 0;
  let testApp: TestApp;
  let server: RunningServer;

  before(async () => {
    testApp = createTestApp({
      isReviewClient: createClientCheck({ names: ['kube-apiserver'] }),
      admit: async () => {
        asked += 1;
        return allowed;
      },
    });
    server = await startServer({
      app: testApp.app,
      address: '127.0.0.1',
      port: 0,
      source: { current: () => serving, onChange: () => () => undefined },
      clientCa: authority.cert,
      log: createLog({ write: () => undefined }),
    });
  });
  after(async () => {
    const closed = server.close();
    server.closeNow();
    await closed;
  });

  const open = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    await once(socket, 'secureConnect');
    return socket;
  };

  /** Status and text of the answer. */
  const ask = async (socket: TLSSocket, path: string): Promise<string> => {
    const body = path.startsWith('/v') || path.startsWith('/m') ? JSON.stringify(admissionReview()) : '';
    const head = [
      `${body === '' ? 'GET' : 'POST'} ${path} HTTP/1.1`,
      'host: belay',
      'connection: close',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text.slice('HTTP/1.1 '.length);
  };

  test('answers the client with its certificate and its name', async () => {
    const socket = await open(issueClientPair(authority, 'kube-apiserver'));
    assert.match(await ask(socket, '/validate?timeout=10s'), /^200 [\s\S]*"allowed":true/);
    assert.equal(asked, 1);
  });

  const strangers: Readonly<Record<string, () => ConnectionOptions>> = {
    'without a certificate': () => ({}),
    'with one of the same authority, and another name': () => issueClientPair(authority, 'system:node:n1'),
    'with one of another authority, and the right name': () => issueClientPair(stranger, 'kube-apiserver'),
    'with the one that Belay serves with': () => serving,
  };
  for (const [who, options] of Object.entries(strangers)) {
    for (const path of ['/validate', '/mutate?timeout=10s']) {
      test(`refuses ${path} to a client ${who}, unread`, async () => {
        const before = asked;
        assert.match(await ask(await open(options()), path), /^401 [\s\S]*client certificate/);
        assert.equal(asked, before);
      });
    }
  }

  test('refuses a client that resumes a session begun without a certificate', async () => {
    for (const minVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options: ConnectionOptions = { minVersion, maxVersion: minVersion };
      const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
      let session: Buffer | undefined;
      socket.on('session', (made: Buffer) => (session = made));
      await once(socket, 'secureConnect');
      assert.match(await ask(socket, '/livez'), /^200 /);
      assert.ok(session);
      const resumed = await open({ ...options, session });
      assert.equal(resumed.isSessionReused(), true);
      assert.match(await ask(resumed, '/validate'), /^401 /);
    }
  });

  test('still tells everybody whether it is alive and ready', async () => {
    for (const path of ['/livez', '/readyz']) assert.match(await ask(await open(), path), /^200 /);
  });

  test('counts the requests that it refused, and does not log them', async () => {
    const text = await testApp.metrics.registry.metrics();
    assert.match(text, /^belay_malformed_reviews_total\{problem="client"\} 10$/m);
    assert.deepEqual(
      testApp.lines.filter(({ level }) => level === 'warn'),
      [],
    );
  });
});
