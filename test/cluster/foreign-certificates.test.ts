import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { parseAllDocuments } from 'yaml';
import { createCertificateSource } from '../../src/certificates/certificate-source.ts';
import { type IssuedCertificates, issueCertificates, serviceDnsNames } from '../../src/certificates/issue.ts';
import { DEFAULT_INTERVALS } from '../../src/intervals/intervals.ts';
import { type Api, ApiError, createApi } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { createNamespace, isDenied, succeeds } from './support/asking.ts';
import { runBelay } from './support/belay-command.ts';

/**
 * Certificates that somebody else makes. cert-manager itself cannot run here: what it and its cainjector would write, the tests write.
 * The overlays are applied as they ship, but for the two kinds of cert-manager.
 */

const intervals = DEFAULT_INTERVALS.certificates;

const namespace = 'belay-system';
const SECRETS = `/api/v1/namespaces/${namespace}/secrets`;
const CONFIGURATIONS = ['mutating', 'validating'].map(
  (kind) => `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/belay`,
);
const CERT_MANAGER = new URL('../../manifests/overlays/cert-manager', import.meta.url).pathname;
const dnsNames = serviceDnsNames('belay', namespace);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let plane: ControlPlane;
let admin: Api;

const issue = (lifeMs?: number): Promise<IssuedCertificates> =>
  issueCertificates({
    now: Date.now(),
    dnsNames,
    ...(lifeMs !== undefined && { lifetimes: { authorityMs: lifeMs, leafMs: lifeMs } }),
  });

/** As cert-manager writes it: no key of an authority. */
const writeSecret = async ({ cert, key, ca }: Pick<IssuedCertificates, 'cert' | 'key' | 'ca'>): Promise<string> => {
  const data = { 'tls.crt': base64(cert), 'tls.key': base64(key), 'ca.crt': base64(ca) };
  const body = { metadata: { name: 'belay-serving' }, type: 'kubernetes.io/tls', data };
  const written = await admin
    .request<{ metadata: { resourceVersion: string } }>({ method: 'PUT', path: `${SECRETS}/belay-serving`, body })
    .catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      return admin.request<{ metadata: { resourceVersion: string } }>({ method: 'POST', path: SECRETS, body });
    });
  return written.metadata.resourceVersion;
};

interface Configuration {
  readonly metadata: { readonly resourceVersion: string };
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

const readConfigurations = (): Promise<readonly Configuration[]> =>
  Promise.all(CONFIGURATIONS.map((path) => admin.request<Configuration>({ path })));

const injectedWith = (ca: string): Promise<true> =>
  waitUntil('every webhook trusts the authority', async () => {
    const bundles = (await readConfigurations()).flatMap(({ webhooks }) => webhooks.map((one) => one.clientConfig));
    return bundles.every(({ caBundle }) => caBundle === base64(ca)) || undefined;
  });

/** As the cainjector does. */
const injectAll = async (ca: string): Promise<void> => {
  for (const path of CONFIGURATIONS) {
    const { webhooks } = await admin.request<Configuration>({ path });
    const body = webhooks.map((_, index) => ({
      op: 'add',
      path: `/webhooks/${index}/clientConfig/caBundle`,
      value: base64(ca),
    }));
    await admin.request({ method: 'PATCH', path, contentType: 'application/json-patch+json', body });
  }
};

/** A lock that nobody knows is refused by Belay; without it the API server says that it could not call the webhook. */
const ask = () =>
  plane.kubectl(['create', '--dry-run=server', '-f', '-'], {
    input: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'asked', annotations: { 'belay.dev/frozen': 'x' } },
    }),
  });

const isAnswered = (): Promise<true> =>
  waitUntil('the API server trusts Belay', async () =>
    (await ask()).stderr.includes('denied the request') ? true : undefined,
  );

const mayNot = async (method: 'POST' | 'PUT' | 'PATCH', path: string, body: unknown): Promise<void> => {
  const belay = createApi(connect(await plane.serviceAccountKubeconfig(namespace, 'belay'), Date.now));
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  await assert.rejects(
    belay.request({ method, path, body, contentType }),
    (error: unknown) => error instanceof ApiError && error.status === 403,
  );
};

const mayWriteNoSecret = async (): Promise<void> => {
  const body = { metadata: { name: 'belay-serving' }, data: {} };
  await mayNot('POST', SECRETS, body);
  for (const name of ['belay-serving', 'belay-certificates']) {
    await mayNot('PUT', `${SECRETS}/${name}`, body);
    await mayNot('PATCH', `${SECRETS}/${name}`, body);
  }
};

let first: IssuedCertificates;
let replica: ControlPlane['belay']['replicas'][number];

const metrics = async (): Promise<string> => (await fetch(replica.metricsUrl)).text();
const failures = async (): Promise<number> =>
  Number(/^belay_certificate_failures_total\{failure="content"\} (\d+)/m.exec(await metrics())?.[1] ?? 0);

before(async () => {
  plane = await startControlPlane({ controllers: false, helm: [], quiet: true });
  admin = createApi(connect(plane.adminKubeconfig, Date.now));
  await createNamespace(plane, namespace);
  first = await issue();
  await writeSecret(first);
  const args = ['--certificates=secret', '--certificates-secret=belay-serving'];
  const belay = await plane.installBelay({ overlay: 'existing-secret', args });
  const [one] = belay.replicas;
  assert.ok(one);
  replica = one;
});
after(() => plane?.stop());

test('the Secret of somebody else is served, and its ca.crt injected', async () => {
  await injectedWith(first.ca);
  isDenied(await ask(), 'BelayBadLock');
});

/** What `belay doctor` says of the certificates, and of the rights that go with them. */
const diagnose = async (): Promise<readonly string[]> => {
  const { stdout } = await runBelay(['doctor', '--output=json'], { as: plane.adminKubeconfig });
  const { checks } = JSON.parse(stdout) as { checks: { check: string; state: string; says: string }[] };
  return checks.flatMap(({ check, state, says }) =>
    ['certificate', 'caBundle', 'rights', 'further rights'].includes(check) ? `${check} ${state}: ${says}` : [],
  );
};

const isHealthy = async (): Promise<void> => {
  const found = await diagnose();
  assert.equal(found.length, 3);
  for (const line of found) assert.match(line, /^\S+ ok: /);
};

test('with it, Belay may write no Secret, and needs no more than it may', async () => {
  await mayWriteNoSecret();
  await isHealthy();
});

test('what cannot be served is said and counted, and the last good one is served on', async () => {
  const other = await issue();
  for (const bad of [
    { ...first, key: other.key },
    { ...first, cert: 'spoilt' },
    { ...first, ca: other.ca },
    { ...(await issueCertificates({ now: Date.now(), dnsNames: ['elsewhere.svc'] })) },
  ]) {
    const before = await failures();
    const version = await writeSecret(bad);
    await waitUntil('it is counted', async () => ((await failures()) > before ? true : undefined));
    isDenied(await ask(), 'BelayBadLock');
    await injectedWith(first.ca);
    const { metadata } = await admin.request<Configuration>({ path: `${SECRETS}/belay-serving` });
    assert.equal(metadata.resourceVersion, version);
  }
});

test('a new one is served and injected without a restart, also after it was gone', async () => {
  const second = await issue();
  await writeSecret(second);
  await injectedWith(second.ca);
  await isAnswered();
  await admin.request({ method: 'DELETE', path: `${SECRETS}/belay-serving` });
  isDenied(await ask(), 'BelayBadLock');
  const third = await issue();
  await writeSecret(third);
  await injectedWith(third.ca);
  await isAnswered();
});

test('a replica that has never had one that is good is not ready, and says why', async () => {
  const good = await issue();
  await writeSecret({ ...good, cert: 'spoilt' });
  const api = createApi(connect(await plane.serviceAccountKubeconfig(namespace, 'belay'), Date.now));
  const abort = new AbortController();
  const log = pino({ level: 'silent' });
  const source = createCertificateSource({ api, namespace, log, intervals, issuer: 'secret', secret: 'belay-serving' });
  const started = source.start(abort.signal);
  await waitUntil('it has looked', async () => (source.stats().failures.content > 0 ? true : undefined));
  assert.equal(source.current(), undefined);
  assert.equal(source.isInjected(), false);
  assert.equal(source.problem(), 'tls.crt is missing or cannot be read');
  await writeSecret(good);
  await started;
  assert.equal(source.current()?.cert, good.cert);
  abort.abort();
  await source.stopped();
});

test('under cert-manager Belay writes neither Secrets nor caBundles, and serves what the caBundles trust', async () => {
  await plane.belay.stop();
  const rendered = succeeds(await plane.kubectl(['kustomize', CERT_MANAGER]));
  const documents = parseAllDocuments(rendered).map((document) => document.toJS() as { apiVersion: string });
  const ours = documents.filter(({ apiVersion }) => !apiVersion.startsWith('cert-manager.io/'));
  assert.equal(documents.length - ours.length, 4);
  const name = 'belay-ca-bundle';
  assert.equal(JSON.stringify(ours).includes(name), false);
  // What the other overlay has brought, and a new installation of this one would not.
  succeeds(await plane.kubectl(['delete', `clusterrole/${name}`, `clusterrolebinding/${name}`]));
  // The Service is the tests' own.
  const items = ours.filter((document) => !('kind' in document && document.kind === 'Service'));
  const list = { apiVersion: 'v1', kind: 'List', items };
  succeeds(await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) }));
  await mayWriteNoSecret();
  for (const path of CONFIGURATIONS) await mayNot('PATCH', path, { metadata: { labels: { a: 'b' } } });

  const old = await issue();
  await writeSecret(old);
  await injectAll(old.ca);
  const api = createApi(connect(await plane.serviceAccountKubeconfig(namespace, 'belay'), Date.now));
  const abort = new AbortController();
  const pauses = { settleMs: 500, reloadMs: 1_000, graceMs: 200, tickMs: 100 };
  const options = { issuer: 'secret', secret: 'belay-serving', inject: false, pauses } as const;
  const source = createCertificateSource({ api, namespace, log: pino({ level: 'silent' }), intervals, ...options });
  await source.start(abort.signal);
  await waitUntil('trusted', async () => source.isInjected() || undefined);
  const before = await readConfigurations();
  await writeSecret(await issue());
  await sleep(2_000);
  // The cainjector has not come by yet: what is trusted still is served still.
  assert.equal(source.current()?.cert, old.cert);
  const next = await issue();
  await writeSecret(next);
  await injectAll(next.ca);
  await waitUntil('what is trusted now is served', async () =>
    source.current()?.cert === next.cert ? true : undefined,
  );
  const afterwards = await readConfigurations();
  assert.notDeepEqual(afterwards, before);
  assert.deepEqual(source.stats().failures, { secret: 0, content: 0, injection: 0 });
  await sleep(1_000);
  assert.deepEqual(await readConfigurations(), afterwards);
  await isHealthy();
  abort.abort();
  await source.stopped();
});
