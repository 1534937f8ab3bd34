import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { admissionReview } from '../http/admission-review.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { openPki } from './harness/pki.ts';
import { fails, isDenied, makeNamespace, SHOP, stateOf, succeeds, untouched } from './support/asking.ts';

/** A Belay that takes reviews from the API server alone, by `--client-ca-file`, and a neighbour that reaches its port. */

const NAME = 'kube-apiserver-webhooks';
let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane({ quiet: true, controllers: false, helm: ['helm4'], reviewClient: NAME });
  await plane.installBelay({ args: ['--client-ca-file', join(plane.dir, 'pki', 'ca.crt'), '--client-name', NAME] });
  await makeNamespace(plane, 'shop', {});
});
after(() => plane?.stop());

/** A review as somebody in the cluster would make it up: dev begins an upgrade of web. */
const forged = async (): Promise<string> => {
  const [record] = await plane.api.list<{ readonly metadata: { labels: object }; readonly data: object }>('secret', {
    namespace: 'shop',
    labels: 'owner=helm,name=web',
  });
  const { metadata, data } = record ?? assert.fail('web has no record');
  const name = 'sh.helm.release.v1.web.v2';
  const labels = { ...metadata.labels, version: '2', status: 'pending-upgrade' };
  return JSON.stringify(
    admissionReview({
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'Secret' },
      resource: { group: '', version: 'v1', resource: 'secrets' },
      namespace: 'shop',
      name,
      userInfo: { username: 'dev', groups: ['system:masters'] },
      object: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'shop', labels }, data },
    }),
  );
};

const post = async (body: string, client: { cert?: string; key?: string } = {}): Promise<number | undefined> => {
  const asked = request(`${plane.belay.url}/validate?timeout=10s`, {
    ...client,
    agent: false,
    rejectUnauthorized: false,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
};

test('the API server is answered, and refused what is to be refused', async () => {
  succeeds(await plane.helm4(['install', 'web', SHOP, '-n', 'shop']));
  isDenied(
    await untouched(plane, 'shop', () => plane.kubectl(['set', 'image', 'deployment/web', 'web=evil', '-n', 'shop'])),
    'BelayDrift',
  );
});

test('a neighbour’s made-up review is not read: it neither claims a release nor learns of one', async () => {
  const body = await forged();
  const { certificate: cert, key } = (await openPki(join(plane.dir, 'pki'))).client('dev', ['system:masters']);
  const before = await stateOf(plane, 'shop');
  for (const client of [{}, { cert, key }]) assert.equal(await post(body, client), 401);
  assert.deepEqual(await stateOf(plane, 'shop'), before);
  // Not because the review were a bad one: from the API server it would be read.
  const own = (await openPki(join(plane.dir, 'pki'))).client(NAME, []);
  assert.equal(await post(body, { cert: own.certificate, key: own.key }), 200);
});

test('what is wrong with the flags is told before anything is served', async () => {
  const [replica] = plane.belay.replicas;
  assert.ok(replica);
  const dist = join(import.meta.dirname, '..', '..', 'dist', 'belay.js');
  const { execFile } = await import('node:child_process');
  const run = (...args: readonly string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, [dist, 'serve', ...args], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const none = join(plane.dir, 'admission.json');
  assert.ok((await readFile(none, 'utf8')).length > 0);
  fails(await run('--client-ca-file', none), /client-ca-file/);
  fails(await run('--client-name', 'x'), /--client-name goes with --client-ca-file/);
});
