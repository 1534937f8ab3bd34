import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readBundle, splitBundle } from '../../src/certificates/bundle.ts';
import { ROTATE_ANNOTATION, STAGE_ANNOTATION } from '../../src/certificates/store.ts';
import { type Api, createApi } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { isDenied, makeNamespace, SHOP, succeeds } from './support/asking.ts';
import { startHandshakes } from './support/handshakes.ts';
import { startReviewedLoad } from './support/reviewed-load.ts';

/** Certificates that live for minutes, on the real processes, in front of a real API server that is busy. */

const PER_SECOND = 50;
/** The shortest life that Belay takes: the test waits for two thirds of it. */
const CERTIFICATE_SECONDS = 60;
const SECRET = '/api/v1/namespaces/belay-system/secrets/belay-certificates';
const namespace = 'busy';

let plane: ControlPlane;
let admin: Api;
let dev: string;

interface Secret {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly data: Readonly<Record<string, string>>;
}

const readSecret = (): Promise<Secret> => admin.request<Secret>({ path: SECRET });
const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();
const authorities = ({ data }: Secret): readonly string[] => splitBundle(decode(data['ca.crt']));
const stageOf = ({ metadata }: Secret): string | undefined => metadata.annotations?.[STAGE_ANNOTATION];

const askForRotation = (): Promise<unknown> =>
  admin.request({
    method: 'PATCH',
    path: SECRET,
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } },
  });

const WAIT = { timeoutMs: 240_000 };

const anotherAuthority = (before: Secret): Promise<Secret> =>
  waitUntil(
    'another authority is the only one',
    async () => {
      const secret = await readSecret();
      const [authority, ...others] = authorities(secret);
      return others.length === 0 && authority !== authorities(before)[0] ? secret : undefined;
    },
    WAIT,
  );

before(async () => {
  const args = [`--certificate-lifetime=${CERTIFICATE_SECONDS}s`, `--ca-lifetime=${3 * CERTIFICATE_SECONDS}s`];
  plane = await startControlPlane({ quiet: true, ownCluster: true, helm: ['helm4'], belay: { replicas: 2, args } });
  admin = createApi(connect(plane.adminKubeconfig, Date.now));
  dev = await plane.user('dev');
  await makeNamespace(plane, namespace, { editors: ['dev'] });
  succeeds(await plane.helm4(['install', 'web', SHOP, '-n', namespace]));
  // A lock, so that Belay is asked about every write of the Namespace; it forbids nothing that is written here.
  succeeds(await plane.kubectl(['annotate', 'namespace', namespace, 'belay.dev/no-downgrade=true']));
});
after(() => plane?.stop());

/** What the API server says of webhooks that it could not call, for whoever has to find out why the test failed. */
const complaints = async (): Promise<string> =>
  (await readFile(join(plane.dir, 'logs', 'kube-apiserver.log'), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => /calling webhook/i.test(line))
    .slice(-10)
    .join('\n');

/** Of the Deployment that is written and denied all the time: the API server counts the changes of its spec. */
const generation = async (): Promise<number> => {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
  return (await admin.request<{ metadata: { generation: number } }>({ path })).metadata.generation;
};

const metric = async (name: string): Promise<number> => {
  const texts = await Promise.all(plane.belay.replicas.map(async ({ metricsUrl }) => (await fetch(metricsUrl)).text()));
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

test('under a load of writes, two rotations of the authority and a renewal lose not one review', async (context) => {
  const person = createApi(connect(dev, Date.now));
  const urls = plane.belay.replicas.map(({ url }) => url);
  const load = startReviewedLoad({ admin, person, namespace, deployment: 'web', perSecond: PER_SECOND });
  const handshakes = startHandshakes({ admin, urls, servername: 'belay.belay-system.svc' });
  const startMs = Date.now();
  const generationBefore = await generation();

  const first = await readSecret();
  const renewed = await waitUntil(
    'the serving certificate is renewed',
    async () => {
      const secret = await readSecret();
      return secret.data['tls.crt'] === first.data['tls.crt'] ? undefined : secret;
    },
    WAIT,
  );
  assert.deepEqual(authorities(renewed), authorities(first));
  await askForRotation();
  const second = await anotherAuthority(first);
  await askForRotation();
  const third = await anotherAuthority(second);

  const { made, failed, serials } = await handshakes.stop();
  const { passed, denied, lost, unanswered } = await load.stop();
  const seconds = Math.round((Date.now() - startMs) / 1000);
  context.diagnostic(
    `${passed + denied} writes in ${seconds} s, ${made} new connections, ${serials.size} certificates`,
  );
  for (const what of unanswered) context.diagnostic(what);
  assert.deepEqual(lost, [], await complaints());
  // Nor did one pass of which nobody was told.
  assert.equal(await generation(), generationBefore);
  assert.deepEqual(failed, []);
  // Or nothing has been shown.
  assert.ok(passed > 100 && denied > 100, `${passed} passed, ${denied} denied`);
  for (const secret of [first, renewed, second, third]) {
    const [leaf] = readBundle(decode(secret.data['tls.crt'])) ?? [];
    assert.ok(leaf !== undefined && serials.has(leaf.serialNumber), 'each certificate was met');
  }
  for (const step of ['publish', 'switch', 'prune']) {
    assert.equal(await metric(`belay_certificate_steps_total{step="${step}"}`), 2, step);
  }
  assert.equal(await metric('belay_certificate_steps_total{step="replace"}'), 1);
  assert.equal(await metric('belay_certificate_failures_total'), 0);
  const [leaf] = readBundle(decode((await readSecret()).data['tls.crt'])) ?? [];
  const expiry = 'belay_certificate_expiry_timestamp_seconds{certificate="serving"}';
  assert.equal(await metric(expiry), (2 * (leaf?.validToDate.getTime() ?? 0)) / 1000);
});

test('replicas that are killed in the middle of a rotation bring it to its end when they are back', async () => {
  const before = await readSecret();
  await askForRotation();
  await waitUntil('published', async () => (stageOf(await readSecret()) === 'published' ? true : undefined));
  await plane.belay.stop('SIGKILL');
  await plane.belay.start();
  await anotherAuthority(before);
  const image = ['set', 'image', 'deployment/web', 'web=nginx:1.99', '-n', namespace];
  isDenied(await plane.kubectl(image, { as: dev }), 'BelayDrift');
});
