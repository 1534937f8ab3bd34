import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { splitBundle } from '../../src/certificates/bundle.ts';
import {
  type CertificateSource,
  type CertificateSourceOptions,
  createCertificateSource,
} from '../../src/certificates/certificate-source.ts';
import { issueCertificates, issueLeaf, serviceDnsNames } from '../../src/certificates/issue.ts';
import type { Pauses } from '../../src/certificates/lifetimes.ts';
import { ROTATE_ANNOTATION, STAGE_ANNOTATION } from '../../src/certificates/store.ts';
import type { ServingCertificate } from '../../src/certificates/take-step.ts';
import { DEFAULT_INTERVALS } from '../../src/intervals/intervals.ts';
import { type Api, ApiError, createApi } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { webhookPort } from './harness/addresses.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { applyManifests } from './harness/install-belay.ts';
import { waitUntil } from './harness/wait-until.ts';

const namespace = 'belay-system';
const SECRETS = `/api/v1/namespaces/${namespace}/secrets`;
const SECRET = `${SECRETS}/belay-certificates`;
const MANIFESTS = join(import.meta.dirname, '..', '..', 'manifests', 'base');
/** Each of them has a caBundle. */
const SHIPPED_WEBHOOKS = ['mutating', 'validating']
  .map((kind) => readFileSync(join(MANIFESTS, `${kind}-webhooks.yaml`), 'utf8'))
  .join('')
  .match(/^ {2}- name: .*\.belay\.dev$/gm)?.length;
const CONFIGURATIONS = ['mutating', 'validating'].map(
  (kind) => `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations`,
);
const DAY_MS = 24 * 3_600_000;
/** A rotation takes about two seconds with them. */
const PAUSES: Pauses = { settleMs: 500, reloadMs: 1_000, graceMs: 200, tickMs: 100 };
const MERGE = 'application/merge-patch+json';

interface Secret {
  readonly metadata: { readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly data: Readonly<Record<string, string>>;
}

interface Configuration {
  readonly webhooks: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();

describe('certificates on a real control plane', () => {
  let plane: ControlPlane;
  let admin: Api;
  let belayKubeconfig: string;
  /** How far the clock of every replica is ahead of ours. */
  let skewMs = 0;
  const lines: string[] = [];
  const keys = new Set<string>();
  const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) });
  let running: { source: CertificateSource; abort: AbortController }[] = [];
  let reviews: Server | undefined;

  /** A replica: its own connection, with the rights of Belay's own service account. */
  const replica = (
    options: Partial<CertificateSourceOptions> = {},
  ): { source: CertificateSource; ready: Promise<void>; abort: AbortController } => {
    const api = createApi(connect(belayKubeconfig, Date.now));
    const source = createCertificateSource({
      api,
      namespace,
      log,
      now: () => Date.now() + skewMs,
      intervals: DEFAULT_INTERVALS.certificates,
      pauses: PAUSES,
      ...options,
    });
    const abort = new AbortController();
    source.onChange(({ key }) => keys.add(key));
    running.push({ source, abort });
    return { source, abort, ready: source.start(abort.signal) };
  };

  const end = ({ source, abort }: { source: CertificateSource; abort: AbortController }): Promise<void> => {
    abort.abort();
    return source.stopped();
  };

  const readSecret = (): Promise<Secret> => admin.request<Secret>({ path: SECRET });

  const deleteSecret = (): Promise<unknown> =>
    admin.request({ method: 'DELETE', path: SECRET }).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });

  const patchSecret = (data: Record<string, string | null>): Promise<Secret> =>
    admin.request<Secret>({ method: 'PATCH', path: SECRET, contentType: MERGE, body: { data } });

  const stage = async (): Promise<string | undefined> => (await readSecret()).metadata.annotations?.[STAGE_ANNOTATION];

  const steady = (): Promise<Secret> =>
    waitUntil('no rotation is under way', async () => ((await stage()) === 'steady' ? readSecret() : undefined));

  const askForRotation = (): Promise<Secret> =>
    admin.request<Secret>({
      method: 'PATCH',
      path: SECRET,
      contentType: MERGE,
      body: { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } },
    });

  const bundles = async (): Promise<string[]> => {
    const configurations = await Promise.all(
      CONFIGURATIONS.map((path) => admin.request<Configuration>({ path: `${path}/belay` })),
    );
    return configurations.flatMap(({ webhooks }) => webhooks.map(({ clientConfig }) => decode(clientConfig.caBundle)));
  };

  const injectedWith = (ca: string): Promise<true> =>
    waitUntil('every webhook trusts the authority', async () => (await bundles()).every((b) => b === ca) || undefined);

  const next = (source: CertificateSource, previous: ServingCertificate | undefined): Promise<ServingCertificate> =>
    waitUntil('another certificate is served', async () => {
      const current = source.current();
      return current?.cert === previous?.cert ? undefined : current;
    });

  before(async () => {
    plane = await startControlPlane({ controllers: false, helm: [], quiet: true });
    await applyManifests(plane.kubectl, plane.address);
    admin = createApi(connect(plane.adminKubeconfig, Date.now));
    belayKubeconfig = await plane.serviceAccountKubeconfig(namespace, 'belay');
  });

  afterEach(async () => {
    for (const { abort } of running) abort.abort();
    await Promise.all(running.map(({ source }) => source.stopped()));
    running = [];
    if (skewMs !== 0) await deleteSecret();
    skewMs = 0;
  });

  after(async () => {
    reviews?.closeAllConnections();
    reviews?.close();
    await plane?.stop();
  });

  test('replicas that start together agree on one certificate', async () => {
    for (let round = 0; round < 5; round += 1) {
      await deleteSecret();
      const replicas = [replica(), replica(), replica()];
      await Promise.all(replicas.map(({ ready }) => ready));
      const { data } = await readSecret();
      for (const { source } of replicas) {
        assert.equal(source.current()?.cert, decode(data['tls.crt']));
        assert.equal(source.current()?.key, decode(data['tls.key']));
      }
      await injectedWith(decode(data['ca.crt']));
      for (const { abort, source } of replicas) {
        abort.abort();
        await source.stopped();
      }
    }
  });

  test('replicas that find a broken Secret together agree on one repair', async () => {
    await patchSecret({ 'ca.crt': base64('broken'), 'ca.key': null });
    const replicas = [replica(), replica(), replica()];
    await Promise.all(replicas.map(({ ready }) => ready));
    const { data } = await readSecret();
    for (const { source } of replicas) assert.equal(source.current()?.cert, decode(data['tls.crt']));
    await injectedWith(decode(data['ca.crt']));
  });

  test('a later start serves what is there, and says that it is injected', async () => {
    const before = await readSecret();
    const { source, ready } = replica();
    await ready;
    await waitUntil('injected', async () => source.isInjected() || undefined);
    assert.equal((await readSecret()).metadata.resourceVersion, before.metadata.resourceVersion);
    assert.equal((await bundles()).length, SHIPPED_WEBHOOKS);
  });

  test('an overwritten or emptied caBundle is put back', async () => {
    const { source, ready } = replica();
    await ready;
    const ca = source.current()?.ca ?? '';
    const other = await issueCertificates({ now: Date.now(), dnsNames: ['other'] });
    for (const value of [base64(other.ca), undefined]) {
      for (const path of CONFIGURATIONS) {
        await injectedWith(ca);
        const op = value === undefined ? 'remove' : 'add';
        await admin.request({
          method: 'PATCH',
          path: `${path}/belay`,
          contentType: 'application/json-patch+json',
          body: [{ op, path: '/webhooks/0/clientConfig/caBundle', value }],
        });
        await injectedWith(ca);
      }
    }
  });

  test('configurations that were deleted in an emergency are injected into again when they are back', async () => {
    const { source, ready } = replica();
    await ready;
    for (const path of CONFIGURATIONS) await admin.request({ method: 'DELETE', path: `${path}/belay` });
    await applyManifests(plane.kubectl, plane.address);
    await injectedWith(source.current()?.ca ?? '');
  });

  for (const flags of [[], ['--server-side', '--force-conflicts']]) {
    test(`${['kubectl apply', ...flags].join(' ')} of the manifests leaves the caBundle alone`, async () => {
      const { source, ready, abort } = replica();
      await ready;
      await injectedWith(source.current()?.ca ?? '');
      abort.abort();
      await source.stopped();
      const before = await bundles();
      const base = new URL('../../manifests/base', import.meta.url).pathname;
      for (const _ of ['once', 'twice']) {
        const applied = await plane.kubectl(['apply', '-k', base, ...flags]);
        assert.equal(applied.code, 0, applied.stderr);
        assert.deepEqual(await bundles(), before);
      }
    });
  }

  test('a Secret that was deleted is made anew, served and injected, without a restart', async () => {
    const replicas = [replica(), replica()];
    await Promise.all(replicas.map(({ ready }) => ready));
    const [old] = replicas.map(({ source }) => source.current());
    await deleteSecret();
    const fresh = await Promise.all(replicas.map(({ source }) => next(source, old)));
    assert.equal(fresh[0]?.cert, fresh[1]?.cert);
    assert.notEqual(fresh[0]?.ca, old?.ca);
    await injectedWith(fresh[0]?.ca ?? '');
  });

  test('certificates that somebody else issues are served and left alone', async () => {
    const { source, ready } = replica();
    await ready;
    const old = source.current();
    const theirs = await issueCertificates({ now: Date.now(), dnsNames: ['belay.belay-system.svc'] });
    const written = await patchSecret({
      'tls.crt': base64(theirs.cert),
      'tls.key': base64(theirs.key),
      'ca.crt': base64(theirs.ca),
      'ca.key': null,
    });
    assert.equal((await next(source, old)).cert, theirs.cert);
    await injectedWith(theirs.ca);
    assert.equal((await readSecret()).metadata.resourceVersion, written.metadata.resourceVersion);
    const left = source.current();
    await deleteSecret();
    assert.notEqual((await next(source, left)).ca, theirs.ca);
  });

  test('a serving certificate that is about to expire is renewed by the same authority, with the same caBundle', async () => {
    const replicas = [replica(), replica()];
    await Promise.all(replicas.map(({ ready }) => ready));
    const { data } = await steady();
    await injectedWith(decode(data['ca.crt']));
    await waitUntil(
      'both have heard of it',
      async () => replicas.every(({ source }) => source.current()?.ca === decode(data['ca.crt'])) || undefined,
    );
    const [old] = replicas.map(({ source }) => source.current());
    skewMs = 250 * DAY_MS;
    const [renewed, seen] = await Promise.all(replicas.map(({ source }) => next(source, old)));
    assert.equal(seen?.cert, renewed?.cert);
    assert.equal(renewed?.ca, old?.ca);
    assert.notEqual(renewed?.key, old?.key);
    assert.equal(new X509Certificate(renewed?.cert ?? '').checkIssued(new X509Certificate(old?.ca ?? '')), true);
    assert.equal(
      (await bundles()).every((bundle) => bundle === old?.ca),
      true,
    );
  });

  /** Every state of the Secret after `from`, up to the end of the next rotation. */
  const statesAfter = async (from: Secret): Promise<readonly Secret[]> => {
    const abort = new AbortController();
    const query = { fieldSelector: 'metadata.name=belay-certificates', resourceVersion: from.metadata.resourceVersion };
    const states: Secret[] = [];
    const timeout = setTimeout(() => abort.abort(new Error('the rotation did not come to its end')), 120_000);
    for await (const { object } of admin.watch({ path: SECRETS, query, signal: abort.signal })) {
      states.push(object as unknown as Secret);
      const stages = states.map(({ metadata }) => metadata.annotations?.[STAGE_ANNOTATION]);
      if (stages.includes('published') && stages.at(-1) === 'steady') break;
    }
    clearTimeout(timeout);
    abort.abort();
    return states;
  };

  /** From the next authority being published to the one before being gone, as the watch history of the Secret tells it. */
  const assertRotated = async (from: Secret, replicas: readonly { source: CertificateSource }[]): Promise<void> => {
    const [before] = splitBundle(decode(from.data['ca.crt']));
    const states = (await statesAfter(from)).map(({ metadata, data }) => ({
      stage: metadata.annotations?.[STAGE_ANNOTATION],
      bundle: splitBundle(decode(data['ca.crt'])),
      signer: [...splitBundle(decode(data['ca.crt']))].find((pem) =>
        new X509Certificate(decode(data['tls.crt'])).checkIssued(new X509Certificate(pem)),
      ),
      hasNextKey: data['next-ca.key'] !== undefined,
    }));
    const after = states.at(-1)?.signer;
    assert.ok(before !== undefined && after !== undefined && before !== after);
    assert.deepEqual(
      states
        .filter(({ stage }, index) => stage !== states[index - 1]?.stage)
        .filter(({ stage }, index) => index > 0 || stage !== 'steady'),
      [
        // Nobody serves what the next one has signed before it is trusted, and nobody stops trusting what is served.
        { stage: 'published', bundle: [before, after], signer: before, hasNextKey: true },
        { stage: 'switched', bundle: [after, before], signer: after, hasNextKey: false },
        { stage: 'steady', bundle: [after], signer: after, hasNextKey: false },
      ],
    );
    await injectedWith(`${after}\n`);
    const { data } = await readSecret();
    await waitUntil(
      'every replica serves what the new authority has signed',
      async () => replicas.every(({ source }) => source.current()?.cert === decode(data['tls.crt'])) || undefined,
    );
  };

  test('an authority that is about to expire makes way for a new one, step by step', async () => {
    const replicas = [replica(), replica()];
    await Promise.all(replicas.map(({ ready }) => ready));
    const { data } = await steady();
    // Its serving certificate has to be of that time, as it would be.
    skewMs = 9 * 365 * DAY_MS;
    const authority = { cert: decode(data['ca.crt']), key: decode(data['ca.key']) };
    const leaf = await issueLeaf(authority, {
      now: Date.now() + skewMs,
      dnsNames: serviceDnsNames('belay', namespace),
    });
    const from = await patchSecret({ 'tls.crt': base64(leaf.cert), 'tls.key': base64(leaf.key) });
    await assertRotated(from, replicas);
  });

  test('a person can ask for a new authority', async () => {
    const replicas = [replica(), replica(), replica()];
    await Promise.all(replicas.map(({ ready }) => ready));
    await steady();
    await assertRotated(await askForRotation(), replicas);
    assert.equal((await readSecret()).metadata.annotations?.[ROTATE_ANNOTATION], undefined);
  });

  test('a rotation waits for as long as a webhook does not carry the next authority', async () => {
    // As where somebody else may write the configurations, but Belay may not.
    const hindered = replica({ inject: false });
    await hindered.ready;
    await steady();
    await askForRotation();
    const published = await waitUntil('published', async () =>
      (await stage()) === 'published' ? readSecret() : undefined,
    );
    await sleep(10 * PAUSES.settleMs);
    assert.equal((await readSecret()).metadata.resourceVersion, published.metadata.resourceVersion);
    const other = replica();
    await other.ready;
    await steady();
  });

  test('a rotation goes on where a replica left off that was killed after any of its steps', async () => {
    const FOREVER_MS = 1e12;
    for (const [left, pauses] of [
      ['published', { ...PAUSES, settleMs: FOREVER_MS }],
      ['switched', { ...PAUSES, reloadMs: FOREVER_MS }],
    ] as const) {
      const healthy = replica();
      await healthy.ready;
      const from = await steady();
      await end(healthy);
      const doomed = replica({ pauses });
      await doomed.ready;
      await askForRotation();
      await waitUntil(`the stage is ${left}`, async () => ((await stage()) === left ? true : undefined));
      await end(doomed);
      const another = replica();
      await assertRotated(from, [another]);
      await end(another);
    }
  });

  test('the API server reaches a listener that serves the current certificate, also after it was replaced', async () => {
    const { source, ready } = replica();
    await ready;
    const first = await next(source, undefined);
    const server = createServer({ key: first.key, cert: first.cert }, async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { uid } = (JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } }).request;
      response.setHeader('content-type', 'application/json');
      const answer = { uid, allowed: true };
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
    });
    reviews = server;
    source.onChange(({ key, cert }) => {
      server.setSecureContext({ key, cert });
      // Or the API server would go on over the connection that it has.
      server.closeAllConnections();
    });
    server.listen(webhookPort, plane.address);
    // failurePolicy Fail: it is stored only if the API server trusted the listener.
    const record = (name: string) =>
      waitUntil(`the record ${name} is stored`, () =>
        admin.request({
          method: 'POST',
          path: '/api/v1/namespaces/default/secrets',
          body: { metadata: { name: `sh.helm.release.v1.${name}.v1`, labels: { owner: 'helm' } } },
        }),
      );
    await record('before');
    await deleteSecret();
    await next(source, first);
    await record('after');
  });

  describe("Belay's own service account", () => {
    const other = { metadata: { name: 'other' }, data: { a: '' } };
    const webhooks = { webhooks: [] };
    const attempts: readonly [
      what: string,
      method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      path: string,
      body?: unknown,
    ][] = [
      ['update another Secret of its namespace', 'PUT', `${SECRETS}/other`, other],
      ['patch another Secret of its namespace', 'PATCH', `${SECRETS}/other`, { data: { a: 'eA==' } }],
      ['delete another Secret of its namespace', 'DELETE', `${SECRETS}/other`],
      ['delete its own Secret', 'DELETE', SECRET],
      ['create a Secret elsewhere', 'POST', '/api/v1/namespaces/default/secrets', other],
      ['patch a Secret elsewhere', 'PATCH', '/api/v1/namespaces/default/secrets/other', { data: {} }],
      ['patch a ConfigMap', 'PATCH', '/api/v1/namespaces/default/configmaps/other', { data: {} }],
      ['patch a Namespace', 'PATCH', '/api/v1/namespaces/default', { metadata: { labels: { a: 'b' } } }],
      ['scale a Deployment', 'PATCH', '/apis/apps/v1/namespaces/default/deployments/web/scale', { spec: {} }],
      ...CONFIGURATIONS.flatMap((path) => [
        ["patch another's webhook configuration", 'PATCH', `${path}/other`, webhooks] as const,
        ['delete its own webhook configuration', 'DELETE', `${path}/belay`] as const,
        ['create a webhook configuration', 'POST', path, { metadata: { name: 'other' } }] as const,
      ]).map(([what, method, path, body]) => [what, method, path, body] as [string, 'PATCH', string, unknown]),
    ];

    before(async () => {
      await admin.request({ method: 'POST', path: SECRETS, body: other });
    });

    for (const [what, method, path, body] of attempts) {
      test(`may not ${what} (${path.split('/').slice(-2).join('/')})`, async () => {
        const belay = createApi(connect(belayKubeconfig, Date.now));
        const contentType = method === 'PATCH' ? MERGE : 'application/json';
        await assert.rejects(
          belay.request({ method, path, contentType, ...(body === undefined ? {} : { body }) }),
          (error: unknown) => error instanceof ApiError && error.status === 403 && error.reason === 'Forbidden',
        );
      });
    }
  });

  test('no private key is ever logged', () => {
    assert.ok(lines.length > 0);
    assert.ok(keys.size > 5);
    const logged = lines.join('');
    assert.doesNotMatch(logged, /PRIVATE KEY/);
    for (const key of keys) {
      const body = key.split('\n')[3]?.trim() ?? '';
      assert.ok(body.length > 40);
      assert.equal(logged.includes(body), false);
    }
  });
});
