import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, test } from 'node:test';
import request from 'supertest';
import { MAX_BODY_BYTES } from '../../src/server/read-body.ts';
import { admissionReview } from './admission-review.ts';
import { createTestApp } from './test-app.ts';

const never = async (): Promise<never> => assert.fail('no judge is to be asked');

const json = 'application/json';

const refused: Record<string, { type: string; body: string; status: number; text: RegExp; problem: string }> = {
  'an empty body': { type: json, body: '', status: 400, text: /not JSON/, problem: 'not_json' },
  'no JSON': { type: json, body: 'hello', status: 400, text: /not JSON/, problem: 'not_json' },
  'half of a review': {
    type: json,
    body: JSON.stringify(admissionReview()).slice(0, 100),
    status: 400,
    text: /not JSON/,
    problem: 'not_json',
  },
  'JSON that is nested a million deep': {
    type: json,
    body: `${'['.repeat(1e6)}${']'.repeat(1e6)}`,
    status: 400,
    text: /not an AdmissionReview/,
    problem: 'not_a_review',
  },
  'JSON that never closes': { type: json, body: '['.repeat(1e6), status: 400, text: /not JSON/, problem: 'not_json' },
  'no AdmissionReview': { type: json, body: '{}', status: 400, text: /apiVersion/, problem: 'not_a_review' },
  null: { type: json, body: 'null', status: 400, text: /not an AdmissionReview/, problem: 'not_a_review' },
  'another content type': {
    type: 'text/plain',
    body: '{}',
    status: 415,
    text: /application\/json/,
    problem: 'content_type',
  },
  'a content type that only begins like it': {
    type: 'application/json-patch+json',
    body: '{}',
    status: 415,
    text: /application\/json/,
    problem: 'content_type',
  },
  'a body one byte too large': {
    type: json,
    body: ' '.repeat(MAX_BODY_BYTES + 1),
    status: 413,
    text: /larger than 7 MiB/,
    problem: 'too_large',
  },
};

describe('a body that is no review is answered with a clear line, and counted', () => {
  for (const [name, { type, body, status, text, problem }] of Object.entries(refused)) {
    test(name, async () => {
      const { app, metrics } = createTestApp({ admit: never });
      const response = await request(app).post('/validate').set('content-type', type).send(body);
      assert.equal(response.status, status);
      assert.match(response.text, text);
      assert.equal(response.text.trimEnd().split('\n').length, 1);
      assert.ok((await metrics.registry.metrics()).includes(`belay_malformed_reviews_total{problem="${problem}"} 1`));
    });
  }

  test('a compressed body', async () => {
    const { app } = createTestApp({ admit: never });
    await request(app)
      .post('/validate')
      .set({ 'content-type': json, 'content-encoding': 'gzip' })
      .send('{}')
      .expect(415);
  });
});

test('a body of exactly the largest size is read', async () => {
  const { app } = createTestApp();
  const body = JSON.stringify(admissionReview()).padEnd(MAX_BODY_BYTES, ' ');
  await request(app).post('/validate').set('content-type', 'application/json; charset=utf-8').send(body).expect(200);
});

const malformed: Record<string, readonly [body: object, problem: RegExp]> = {
  'another version': [{ ...admissionReview(), apiVersion: 'admission.k8s.io/v1beta1' }, /apiVersion/],
  'an unknown operation': [admissionReview({ operation: 'PATCH' }), /request\.operation/],
  'labels that are no strings': [admissionReview({ object: { metadata: { labels: { a: 1 } } } }), /labels/],
};
for (const [name, [body, problem]] of Object.entries(malformed)) {
  test(`a malformed review that has a uid is denied as a review: ${name}`, async () => {
    const { app } = createTestApp({ admit: never });
    const { body: answer } = await request(app).post('/validate').send(body).expect(200);
    assert.equal(answer.response.uid, 'uid-1');
    assert.equal(answer.response.allowed, false);
    assert.equal(answer.response.status.code, 400);
    assert.match(answer.response.status.message, problem);
  });
}

describe('on the wire', () => {
  const listen = async (t: { after: (close: () => void) => void }, ...args: Parameters<typeof createTestApp>) => {
    const testApp = createTestApp(...args);
    const server = createServer(testApp.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return { ...testApp, port: (server.address() as AddressInfo).port };
  };

  test('a body that says it is too large is refused before it is sent', async (t) => {
    const { port } = await listen(t, { admit: never });
    const post = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/validate',
      headers: { 'content-type': json, 'content-length': 1e12 },
    });
    post.on('error', () => {});
    post.flushHeaders();
    const [response] = await once(post, 'response');
    assert.equal(response.statusCode, 413);
    post.destroy();
  });

  test('a body without a length is refused at the first byte too many, though the client would go on for ever', async (t) => {
    const { port } = await listen(t, { admit: never });
    const post = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/validate',
      headers: { 'content-type': json },
    });
    post.on('error', () => {});
    const response = new Promise<number | undefined>((resolve) =>
      post.on('response', (r) => resolve(r.resume().statusCode)),
    );
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const feed = (): void => {
      while (!post.destroyed && post.write(chunk));
    };
    post.on('drain', feed);
    feed();
    assert.equal(await response, 413);
    post.destroy();
  });

  test('a client that leaves in the middle harms nobody', async (t) => {
    const { port, lines, app } = await listen(t, { admit: never });
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"api',
    );
    socket.end();
    await once(socket.resume(), 'close');
    while (lines.length === 0) await new Promise(setImmediate);
    assert.equal(lines[0]?.problem, 'truncated');
    await request(app).get('/livez').expect(200);
  });
});
