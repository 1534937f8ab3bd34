import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { createTestApp } from './test-app.ts';

test('/livez is alive whatever the cluster is doing', async () => {
  const { app } = createTestApp({ readiness: () => assert.fail('/livez looks at nothing') });
  const response = await request(app).get('/livez').expect(200);
  assert.equal(response.text, 'ok\n');
});

test('/readyz lists every check, and says why one is not ok', async () => {
  const checks = [
    { name: 'certificate', ok: true, detail: '' },
    { name: 'index', ok: false, detail: 'still listing' },
  ];
  const { app } = createTestApp({ readiness: () => checks });
  const response = await request(app).get('/readyz').expect(503);
  assert.equal(response.text, '[+] certificate\n[-] index: still listing\nnot ready\n');
});

test('/readyz is ready when every check is ok', async () => {
  const { app } = createTestApp({ readiness: () => [{ name: 'index', ok: true, detail: '' }] });
  const response = await request(app).get('/readyz?verbose').expect(200);
  assert.equal(response.text, '[+] index\nready\n');
});

const unknown = ['/', '/validate/', '/validate/x', '/constructor', '/__proto__', '/%', '/metrics', '//validate'];
for (const path of unknown) {
  test(`${path} is answered in JSON, without a crash or a judge`, async () => {
    const { app } = createTestApp({ admit: async () => assert.fail('no judge is to be asked') });
    const response = await request(app).get(path);
    assert.ok([400, 404, 405].includes(response.status), String(response.status));
    assert.equal(typeof response.body.error, 'string');
  });
}

const methods = [
  ['get', '/validate', 'POST'],
  ['put', '/mutate', 'POST'],
  ['delete', '/validate?timeout=1s', 'POST'],
  ['post', '/livez', 'GET'],
  ['post', '/readyz', 'GET'],
] as const;
for (const [method, path, allow] of methods) {
  test(`${method} ${path} is told to use ${allow}`, async () => {
    const { app } = createTestApp();
    const response = await request(app)[method](path).expect(405);
    assert.equal(response.headers.allow, allow);
    assert.deepEqual(response.body, { error: `use ${allow}` });
  });
}
