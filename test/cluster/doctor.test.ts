import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { issueCertificates, serviceDnsNames } from '../../src/certificates/issue.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { applyManifests, waitForReviews } from './harness/install-belay.ts';
import { waitUntil } from './harness/wait-until.ts';
import { makeNamespace, SHOP, stateOf, succeeds } from './support/asking.ts';
import { runBelay } from './support/belay-command.ts';

/** `belay doctor`, on a cluster where all is well, and on one where one thing after the other is broken. */

/** What it has to find is found within seconds; the API server's own copies of what was changed are at most as old. */
const PATIENCE = { timeoutMs: 120_000 };

const NAMESPACE = 'shop';
const VALIDATING = 'validatingwebhookconfiguration/belay';
const MUTATING = 'mutatingwebhookconfiguration/belay';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail' | 'skip';
  readonly says: string;
  readonly details?: readonly string[];
  readonly next?: string;
}

interface Diagnosis {
  readonly code: number;
  readonly guards: boolean | null;
  readonly checks: readonly Finding[];
}

let plane: ControlPlane;
let dev: string;
let outsider: string;

before(async () => {
  plane = await startControlPlane({ pods: true, quiet: true, belay: {} });
  [dev, outsider] = await Promise.all([plane.user('dev'), plane.user('outsider')]);
  await makeNamespace(plane, NAMESPACE, { editors: ['dev'] });
  succeeds(await plane.helm4(['install', 'web', SHOP, '-n', NAMESPACE], { as: dev }));
  await healthy();
});
after(() => plane?.stop());

const kubectl = async (...args: readonly string[]): Promise<string> => succeeds(await plane.kubectl(args));
const send = async (verb: string, object: unknown): Promise<void> => {
  succeeds(await plane.kubectl([verb, '-f', '-'], { input: JSON.stringify(object) }));
};

const ask = async (as = plane.adminKubeconfig, ...args: readonly string[]): Promise<Diagnosis> => {
  const { code, stdout, stderr } = await runBelay(['doctor', '-o', 'json', ...args], { as });
  assert.equal(stderr, '');
  const { guards, checks } = JSON.parse(stdout) as Omit<Diagnosis, 'code'>;
  return { code, guards, checks };
};

const find = ({ checks }: Diagnosis, check: string): Finding | undefined => checks.find((one) => one.check === check);

const told = ({ says, details = [], next = '' }: Finding): string => [says, ...details, next].join('\n');

const show = ({ checks }: Diagnosis): string =>
  checks.map((one) => `${one.state} ${one.check}: ${told(one)}`).join('\n');

/** Resolves with the first diagnosis in which a check has come to this. */
const untilFound = async (check: string, state: Finding['state'], says: RegExp): Promise<Diagnosis> => {
  let last: Diagnosis | undefined;
  try {
    return await waitUntil(
      `the doctor finds: ${state} ${check}`,
      async () => {
        last = await ask();
        const found = find(last, check);
        return found?.state === state && says.test(told(found)) ? last : undefined;
      },
      PATIENCE,
    );
  } catch (error) {
    throw new Error(`not found: ${state} ${check} ${says}\n${last && show(last)}`, { cause: error });
  }
};

/** Asserts what else a diagnosis says. */
const alsoSays = (diagnosis: Diagnosis, check: string, state: Finding['state'], says = /./): void => {
  const found = find(diagnosis, check);
  assert.ok(found, `no ${check} in:\n${show(diagnosis)}`);
  assert.equal(found.state, state, show(diagnosis));
  assert.match(told(found), says);
};

/** Resolves when nothing is wrong. */
const healthy = (): Promise<Diagnosis> =>
  waitUntil(
    'the doctor finds nothing',
    async () => {
      const diagnosis = await ask();
      return diagnosis.checks.every(({ state }) => state === 'ok') ? diagnosis : undefined;
    },
    PATIENCE,
  );

type Stored = { readonly metadata: Record<string, unknown>; readonly [field: string]: unknown };

/** Takes what is there, and gives back what puts it there again. */
const keep = async (...names: readonly string[]): Promise<() => Promise<void>> => {
  const kept = await Promise.all(names.map((name) => plane.api.read<Stored>(name)));
  return async () => {
    for (const { metadata, ...rest } of kept) {
      const { resourceVersion: _version, uid: _uid, ...own } = metadata;
      const object = { ...rest, metadata: own };
      const { code } = await plane.kubectl(['replace', '-f', '-'], { input: JSON.stringify(object) });
      if (code !== 0) await send('create', object);
    }
  };
};

const patch = (object: string, ...operations: readonly object[]): Promise<string> =>
  kubectl('patch', object, '--type=json', `--patch=${JSON.stringify(operations)}`);

/** Where a webhook stands in its list. */
const pathTo = async (configuration: string, name: string): Promise<string> => {
  const { webhooks } = await plane.api.read<{ readonly webhooks: { name: string }[] }>(configuration);
  const at = webhooks.findIndex((webhook) => webhook.name === name);
  assert.ok(at >= 0, name);
  return `/webhooks/${at}`;
};

describe('where all is well', () => {
  test('everything is checked, everything is well, and nothing is left behind', async () => {
    const before = await stateOf(plane, NAMESPACE);
    const diagnosis = await healthy();
    assert.deepEqual([diagnosis.code, diagnosis.guards], [0, true]);
    assert.deepEqual(
      diagnosis.checks.map(({ check }) => check),
      [
        ...['API server', 'versions', "policies' kind", 'policies', 'validating webhooks', 'mutating webhooks'],
        ...['certificate', 'caBundle', 'replicas', 'endpoints', 'disruption budget', 'rights', 'roles', 'your rights'],
        ...['guard', 'let through', 'carried locks', 'enforced'],
        ...['guard of objects', 'guard of namespaces', 'guard of policies', 'stuck releases', 'claims', 'locks'],
      ],
    );
    assert.deepEqual(await stateOf(plane, NAMESPACE), before);
    const left = await plane.api.list('secrets,leases,namespaces,releasepolicies');
    for (const { metadata } of left) assert.doesNotMatch(metadata?.name ?? '', /doctor/);
  });

  test('a person reads lines, and the last one says it all', async () => {
    const { code, stdout, stderr } = await runBelay(['doctor'], { as: plane.adminKubeconfig });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout);
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^ok {3}API server {12}Kubernetes v1\.\d+\.\d+ answers in \d+ ms$/);
    assert.equal(lines.at(-1), 'Belay guards this cluster: 24 checks passed.');
    assert.ok(
      lines.every((line) => line === '' || /^(ok {3}|Belay )/.test(line)),
      stdout,
    );
  });

  test('in YAML as well, and as kubectl belay and helm lock, whatever namespace Helm is told', async () => {
    const yaml = await runBelay(['doctor', '-o', 'yaml'], { as: plane.adminKubeconfig });
    assert.match(yaml.stdout, /^apiVersion: belay\.dev\/v1alpha1\nkind: Diagnosis\n/);
    const env = { HELM_PLUGIN_NAME: 'lock', HELM_BIN: 'helm', HELM_NAMESPACE: NAMESPACE };
    const helm = await runBelay(['doctor'], { as: plane.adminKubeconfig, env });
    assert.equal(helm.code, 0, helm.stdout + helm.stderr);
    assert.match(helm.stdout, new RegExp(`break releases in namespace ${NAMESPACE}$`, 'm'));
  });

  test('no key is ever shown', async () => {
    const { data } = await plane.api.read<{ readonly data: Record<string, string> }>('secret/belay-certificates', {
      namespace: 'belay-system',
    });
    for (const output of ['table', 'json', 'yaml']) {
      const { stdout } = await runBelay(['doctor', '-o', output], { as: plane.adminKubeconfig });
      assert.doesNotMatch(stdout, /PRIVATE|BEGIN/);
      for (const value of Object.values(data)) assert.equal(stdout.includes(value.slice(100, 160)), false);
    }
  });
});

describe('who has few rights', () => {
  test('learns whether Belay guards his namespace, and what he may not see is no failure', async () => {
    const diagnosis = await ask(dev, '--probe-namespace', NAMESPACE);
    assert.deepEqual([diagnosis.code, diagnosis.guards], [0, true], show(diagnosis));
    for (const check of ['guard', 'let through', 'carried locks', 'enforced', 'guard of objects', 'stuck releases'])
      alsoSays(diagnosis, check, 'ok');
    alsoSays(diagnosis, 'certificate', 'skip', /not checked: you may not get secrets in namespace belay-system/);
    alsoSays(diagnosis, 'rights', 'skip', /you may not create subjectaccessreviews/);
    assert.ok(
      diagnosis.checks.every(({ state }) => state === 'ok' || state === 'skip'),
      show(diagnosis),
    );
  });

  test('who may do nothing is told that nobody can tell, and what to do', async () => {
    const { code, stdout } = await runBelay(['doctor'], { as: outsider });
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^skip +guard +not checked: you may not create secrets in namespace default$/m);
    assert.match(stdout, /^ +next: belay doctor --probe-namespace </m);
    assert.match(stdout, /^Whether Belay guards this cluster could not be told: /m);
  });

  test("Belay's own namespace is left out by design, and so proves nothing", async () => {
    const { code, stdout, stderr } = await runBelay(['doctor', '--probe-namespace', 'belay-system'], { as: dev });
    assert.deepEqual({ code, stdout }, { code: 64, stdout: '' });
    assert.match(stderr, /^Error: no webhook looks into belay-system, Belay's own namespace: /);
  });

  test('where there is no cluster to talk to, that is the end of it', async () => {
    const { code, stdout, stderr } = await runBelay(['doctor', '--server', `https://${plane.address}:65530`], {
      as: dev,
    });
    assert.deepEqual({ code, stdout }, { code: 69, stdout: '' });
    assert.match(stderr, /^Error: cannot reach the cluster: .*ECONNREFUSED/);
  });
});

describe('a webhook configuration that is not as it ships', () => {
  let restore: () => Promise<void>;
  before(async () => {
    restore = await keep(VALIDATING, MUTATING);
  });
  afterEach(async () => {
    await restore();
    await waitForReviews(plane.api);
    await healthy();
  });

  test('deleted: Belay guards nothing, and that is what the last line says', async () => {
    await kubectl('delete', VALIDATING);
    const diagnosis = await untilFound('guard', 'fail', /not guarding namespace default: .* was let through/);
    assert.deepEqual([diagnosis.code, diagnosis.guards], [2, false]);
    alsoSays(diagnosis, 'validating webhooks', 'fail', /there is no validatingwebhookconfiguration belay/);
    alsoSays(diagnosis, 'guard of objects', 'fail', /Belay is not guarding what releases manage: a change of /);
    alsoSays(diagnosis, 'guard of policies', 'fail');
    alsoSays(diagnosis, 'mutating webhooks', 'ok');
    const { stdout } = await runBelay(['doctor'], { as: plane.adminKubeconfig });
    assert.match(stdout, /^Belay is not guarding this cluster: \d+ checks passed, \d+ failed\.$/m);
    const few = await ask(dev, '--probe-namespace', NAMESPACE);
    assert.deepEqual([few.code, few.guards], [2, false], show(few));
  });

  test('the mutating one deleted: locks would be lost', async () => {
    await kubectl('delete', MUTATING);
    const diagnosis = await untilFound('carried locks', 'fail', /locks are lost at the next upgrade/);
    assert.equal(diagnosis.code, 2);
    alsoSays(diagnosis, 'mutating webhooks', 'fail', /there is no mutatingwebhookconfiguration belay/);
    alsoSays(diagnosis, 'guard', 'ok');
  });

  test('a rule taken away', async () => {
    const path = await pathTo(VALIDATING, 'records.belay.dev');
    await patch(VALIDATING, { op: 'replace', path: `${path}/rules/0/resources`, value: ['configmaps'] });
    const diagnosis = await untilFound('guard', 'fail', /was let through/);
    const said = /records\.belay\.dev rules: CREATE,DELETE,UPDATE of configmaps,secrets \(group core\) is missing/;
    alsoSays(diagnosis, 'validating webhooks', 'fail', said);
    assert.deepEqual([diagnosis.code, diagnosis.guards], [2, false]);
  });

  test('open where it ships closed: Belay still answers, and the field is named', async () => {
    const path = await pathTo(VALIDATING, 'records.belay.dev');
    await patch(VALIDATING, { op: 'replace', path: `${path}/failurePolicy`, value: 'Ignore' });
    const diagnosis = await untilFound(
      'validating webhooks',
      'fail',
      /^records\.belay\.dev failurePolicy: "Fail" -> "Ignore"$/m,
    );
    assert.deepEqual([diagnosis.code, diagnosis.guards], [2, true], show(diagnosis));
    alsoSays(diagnosis, 'guard', 'ok');
  });

  test('a namespaceSelector that leaves out every namespace', async () => {
    const path = await pathTo(VALIDATING, 'records.belay.dev');
    const value = { matchLabels: { nobody: 'has-this' } };
    await patch(VALIDATING, { op: 'replace', path: `${path}/namespaceSelector`, value });
    const diagnosis = await untilFound('guard', 'fail', /was let through/);
    alsoSays(
      diagnosis,
      'validating webhooks',
      'fail',
      /records\.belay\.dev namespaceSelector: \{.*\} -> \{"matchLabels"/,
    );
    assert.equal(diagnosis.code, 2);
  });

  test('one that leaves out one namespace more is worth a warning, and the writes tell where', async () => {
    const path = await pathTo(VALIDATING, 'records.belay.dev');
    const values = { op: 'replace', path: `${path}/namespaceSelector/matchExpressions/0/values` };
    await patch(VALIDATING, { ...values, value: ['belay-system', NAMESPACE] });
    const diagnosis = await untilFound('validating webhooks', 'warn', /leaves out more: shop$/m);
    assert.equal(diagnosis.code, 0, show(diagnosis));
    await waitUntil(
      'the namespace is left out',
      async () => (await ask(dev, '--probe-namespace', NAMESPACE)).code === 2 || undefined,
    );
  });

  test('closed where it ships open, as in the overlay strict, is as it should be', async () => {
    for (const name of ['objects.belay.dev', 'scale.belay.dev']) {
      const path = await pathTo(VALIDATING, name);
      await patch(VALIDATING, { op: 'replace', path: `${path}/failurePolicy`, value: 'Fail' });
    }
    const diagnosis = await untilFound(
      'validating webhooks',
      'ok',
      /objects\.belay\.dev and scale\.belay\.dev fail closed/,
    );
    assert.equal(diagnosis.code, 0, show(diagnosis));
  });

  test('how it is asked, another condition, another Service, a webhook of somebody else', async () => {
    const [objects, claims, scale] = await Promise.all(
      ['objects.belay.dev', 'claims.belay.dev', 'scale.belay.dev'].map((name) => pathTo(VALIDATING, name)),
    );
    const { webhooks } = await plane.api.read<{ readonly webhooks: object[] }>(VALIDATING);
    await patch(
      VALIDATING,
      { op: 'replace', path: `${objects}/timeoutSeconds`, value: 3 },
      { op: 'replace', path: `${claims}/matchConditions/1/expression`, value: 'false' },
      { op: 'replace', path: `${scale}/clientConfig/service/name`, value: 'other' },
      { op: 'add', path: '/webhooks/-', value: { ...webhooks[0], name: 'extra.belay.dev', failurePolicy: 'Ignore' } },
    );
    const diagnosis = await untilFound('validating webhooks', 'fail', /timeoutSeconds/);
    for (const said of [
      /^objects\.belay\.dev timeoutSeconds: 5 -> 3$/m,
      /^claims\.belay\.dev matchConditions\[not-the-clusters-own-clean-up\] says something else: "false"$/m,
      /^scale\.belay\.dev clientConfig\.service\.name: "belay" -> "other"$/m,
      /^extra\.belay\.dev is none of this version$/m,
    ])
      alsoSays(diagnosis, 'validating webhooks', 'fail', said);
  });
});

test('a caBundle of another authority, by a Belay that may not put it right', async () => {
  const restore = await keep('clusterrole/belay-ca-bundle', VALIDATING);
  await patch('clusterrole/belay-ca-bundle', { op: 'replace', path: '/rules/0/verbs', value: ['get'] });
  const { ca } = await issueCertificates({ now: Date.now(), dnsNames: ['elsewhere'] });
  const caBundle = Buffer.from(ca).toString('base64');
  await untilFound('rights', 'fail', /^patch validatingwebhookconfigurations\.admissionregistration\.k8s\.io belay$/m);
  const path = await pathTo(VALIDATING, 'records.belay.dev');
  await patch(VALIDATING, { op: 'replace', path: `${path}/clientConfig/caBundle`, value: caBundle });
  const diagnosis = await untilFound(
    'guard',
    'fail',
    /does not reach Belay \(records\.belay\.dev\): the caBundle is another/,
  );
  alsoSays(diagnosis, 'guard', 'fail', /^it says: .*x509: certificate signed by unknown authority/m);
  alsoSays(diagnosis, 'caBundle', 'fail', /^records\.belay\.dev: it is another authority's than the one that signed/m);
  assert.deepEqual([diagnosis.code, diagnosis.guards], [2, false]);
  await restore();
  await healthy();
});

test('Belay is down: who does not reach whom, and that once', async () => {
  await plane.belay.stop('SIGKILL');
  const diagnosis = await untilFound('guard', 'fail', /does not reach Belay \(records\.belay\.dev\): nobody listens/);
  alsoSays(diagnosis, 'guard', 'fail', /^it says: dial tcp .*: connect: connection refused$/m);
  assert.deepEqual([diagnosis.code, diagnosis.guards], [2, false]);
  assert.deepEqual(
    diagnosis.checks.filter(({ state }) => state === 'fail').map(({ check }) => check),
    ['guard'],
  );
  await plane.belay.start();
  await healthy();
});

describe('a policy', () => {
  const bad = {
    apiVersion: 'belay.dev/v1alpha1',
    kind: 'ReleasePolicy',
    metadata: { name: 'bad' },
    spec: {
      match: { releases: ['nobody'] },
      freeze: { windows: [{ schedule: '0 0 * * *', duration: '1h', timeZone: 'Nowhere/Nowhere', reason: 'x' }] },
    },
  };

  test('that cannot be read and got in while Belay was down is named with its field', async () => {
    await plane.belay.stop('SIGKILL');
    await send('create', bad);
    await plane.belay.start();
    const diagnosis = await untilFound('policies', 'fail', /^bad cannot be read, and nothing of it holds:$/m);
    alsoSays(diagnosis, 'policies', 'fail', /^ {2}spec\.freeze\.windows\[0\]\.timeZone: /m);
    assert.equal(diagnosis.code, 2);
    await kubectl('delete', 'releasepolicy', 'bad');
    await healthy();
  });

  test('by which Belay only observes: it answers, and refuses no forged record', async () => {
    const spec = { operations: { action: 'Audit' }, drift: { action: 'Audit' } };
    await send('create', { ...bad, metadata: { name: 'audit' }, spec });
    const diagnosis = await untilFound('enforced', 'warn', /a policy has Belay only observe/);
    assert.deepEqual([diagnosis.code, diagnosis.guards], [0, true], show(diagnosis));
    alsoSays(diagnosis, 'guard', 'ok');
    alsoSays(diagnosis, 'guard of objects', 'skip', /but a policy has drift\.action Audit for release shop\/web/);
    await kubectl('delete', 'releasepolicy', 'audit');
    await healthy();
  });

  test('that trusts whoever asks is why his change passes, and one that trusts others is no excuse', async () => {
    const trust = (name: string) => ({ drift: { trusted: [{ kind: 'User', name }] } });
    await send('create', { ...bad, metadata: { name: 'trust' }, spec: trust('belay-test-admin') });
    const trusted = await untilFound('guard of objects', 'skip', /but a policy trusts you, or may do so/);
    assert.equal(trusted.code, 0, show(trusted));
    await send('apply', { ...bad, metadata: { name: 'trust' }, spec: trust('somebody') });
    await healthy();
    const restore = await keep(VALIDATING);
    const path = await pathTo(VALIDATING, 'objects.belay.dev');
    await patch(VALIDATING, { op: 'replace', path: `${path}/rules/0/operations`, value: ['DELETE'] });
    const diagnosis = await untilFound('guard of objects', 'fail', /a change of Deployment shop\/web was let through/);
    alsoSays(diagnosis, 'guard', 'ok');
    await restore();
    await kubectl('delete', 'releasepolicy', 'trust');
    await healthy();
  });

  test('has no kind: it is said, and what an older kind lacks', async () => {
    const crd = 'customresourcedefinition/releasepolicies.belay.dev';
    await kubectl('delete', crd);
    const missing = await untilFound("policies' kind", 'fail', /releasepolicies\.belay\.dev is not installed/);
    assert.equal(missing.code, 2);
    await applyManifests(plane.kubectl, plane.address);
    await healthy();
    const version = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties';
    await patch(crd, { op: 'remove', path: `${version}/freeze` });
    const older = await untilFound("policies' kind", 'warn', /^spec\.freeze is missing$/m);
    assert.equal(find(older, "policies' kind")?.details?.length, 1);
    const tomorrow = { type: 'string', description: 'of the next version' };
    await applyManifests(plane.kubectl, plane.address);
    await patch(crd, { op: 'add', path: `${version}/tomorrow`, value: tomorrow });
    const newer = await untilFound("policies' kind", 'ok', /is newer: it has spec\.tomorrow as well/);
    assert.equal(newer.code, 0, show(newer));
    await patch(crd, { op: 'remove', path: `${version}/tomorrow` });
    await healthy();
  });
});

describe('rights', () => {
  test('that Belay has lost with its binding', async () => {
    const restore = await keep('clusterrolebinding/belay');
    await kubectl('delete', 'clusterrolebinding', 'belay');
    const diagnosis = await untilFound('rights', 'fail', /lacks \d+ of \d+ rights that it needs/);
    alsoSays(diagnosis, 'rights', 'fail', /^list secrets$/m);
    alsoSays(diagnosis, 'guard', 'fail', /^Belay answers, but cannot judge$/m);
    assert.equal(diagnosis.code, 2);
    await restore();
    await healthy();
  });

  test('that Belay should not have', async () => {
    const account = '--serviceaccount=belay-system:belay';
    await kubectl('create', 'clusterrole', 'more', '--verb=delete', '--resource=secrets,namespaces');
    await kubectl('create', 'clusterrolebinding', 'more', '--clusterrole=more', account);
    const more = await untilFound('further rights', 'warn', /has rights that Belay does not need/);
    assert.deepEqual(find(more, 'further rights')?.details, ['delete secrets', 'delete namespaces']);
    assert.equal(more.code, 0, show(more));
    await kubectl('delete', 'clusterrolebinding', 'more');
    await kubectl('create', 'clusterrolebinding', 'all', '--clusterrole=cluster-admin', account);
    await untilFound('rights', 'warn', /belay-system\/belay may do everything in this cluster/);
    await kubectl('delete', 'clusterrolebinding', 'all');
    await healthy();
  });

  test("that people do not get from Kubernetes' own roles", async () => {
    const restore = await keep('clusterrole/belay-edit');
    await kubectl('delete', 'clusterrole', 'belay-edit');
    // admin has them by itself.
    await untilFound('roles', 'warn', /^edit lacks lock$/m);
    await restore();
    await healthy();
  });
});

describe('what runs Belay', () => {
  test('no replica, no budget, no Service', async () => {
    await kubectl('scale', 'deployment/belay', '-n', 'belay-system', '--replicas=1');
    await untilFound('replicas', 'warn', /one alone/);
    await kubectl('scale', 'deployment/belay', '-n', 'belay-system', '--replicas=0');
    await untilFound('replicas', 'fail', /none of 0 is ready/);
    await kubectl('delete', 'poddisruptionbudget', 'belay', '-n', 'belay-system');
    await untilFound('disruption budget', 'warn', /draining nodes may take all replicas at once/);
    await kubectl('delete', 'service', 'belay', '-n', 'belay-system');
    const diagnosis = await untilFound('endpoints', 'fail', /there is no Service belay in namespace belay-system/);
    assert.equal(diagnosis.code, 2);
    await applyManifests(plane.kubectl, plane.address);
    await waitForReviews(plane.api);
    await healthy();
  });

  test('images that are not alike, and a terminal that is not to be deceived', async () => {
    const image = 'evil\u001b[2J\u202e:9.9.9';
    const path = '/spec/template/spec/containers/0/image';
    await kubectl(
      'patch',
      'deployment/belay',
      '-n',
      'belay-system',
      '--type=json',
      `--patch=${JSON.stringify([{ op: 'replace', path, value: image }])}`,
    );
    await untilFound('versions', 'warn', /Belay 9\.9\.9 in the cluster, 0\.1\.0 here/);
    for (const output of ['table', 'json', 'yaml']) {
      const { stdout } = await runBelay(['doctor', '-o', output], { as: plane.adminKubeconfig });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u202e]/);
    }
    await applyManifests(plane.kubectl, plane.address);
    await healthy();
  });
});

test('a certificate that has expired', async () => {
  await plane.belay.stop('SIGKILL');
  const restore = await keep(VALIDATING, MUTATING);
  const long = Date.now() - 400 * 86_400_000;
  const { ca, cert, key } = await issueCertificates({ now: long, dnsNames: serviceDnsNames('belay', 'belay-system') });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  await kubectl(
    ...['patch', 'secret', 'belay-certificates', '-n', 'belay-system', '--type=merge'],
    `--patch=${JSON.stringify({ data: { 'tls.crt': base64(cert), 'tls.key': base64(key), 'ca.crt': base64(ca), 'ca.key': null } })}`,
  );
  const diagnosis = await untilFound('certificate', 'fail', /the serving certificate has expired 35 days ago/);
  assert.equal(diagnosis.code, 2);
  alsoSays(diagnosis, 'caBundle', 'fail', /another authority's/);
  await restore();
  // Belay does not leave alone what is broken.
  await kubectl('delete', 'secret', 'belay-certificates', '-n', 'belay-system');
  await plane.belay.start();
  await waitForReviews(plane.api);
  await healthy();
});

test('what has been left behind while nobody guarded is told, and where to look', async () => {
  const restore = await keep(VALIDATING, MUTATING);
  // It would delete the claim of a release that is gone.
  await plane.belay.stop('SIGKILL');
  await kubectl('delete', VALIDATING, MUTATING);
  const labels = { owner: 'helm', name: 'stuck', status: 'pending-upgrade', version: '1' };
  const metadata = { name: 'sh.helm.release.v1.stuck.v1', namespace: NAMESPACE, labels };
  await waitUntil('records are not guarded', async () => {
    const record = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'helm.sh/release.v1', data: { release: '' } };
    const { code } = await plane.kubectl(['create', '-f', '-'], { input: JSON.stringify(record) });
    return code === 0 || undefined;
  });
  await kubectl('annotate', 'secret', metadata.name, '-n', NAMESPACE, 'belay.dev/break=x', 'belay.dev/pin=what?');
  await kubectl('annotate', 'namespace', NAMESPACE, 'belay.dev/frezze=typo');
  const old = '2026-01-01T00:00:00.000000Z';
  const annotations = { 'belay.dev/operation': 'install', 'belay.dev/revision': '1' };
  await send('create', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'belay.gone', namespace: NAMESPACE, labels: { 'belay.dev/claim': 'true' }, annotations },
    spec: { holderIdentity: 'ann', acquireTime: old, renewTime: old, leaseDurationSeconds: 600, leaseTransitions: 0 },
  });
  const unguarded = await untilFound('claims', 'warn', /^shop\/gone: install by ann$/m);
  assert.deepEqual([unguarded.code, unguarded.guards], [2, false]);
  await restore();
  await plane.belay.start();
  await waitForReviews(plane.api);
  const diagnosis = await untilFound('claims', 'ok', /./);
  alsoSays(diagnosis, 'stuck releases', 'warn', /^shop\/stuck: upgrade to revision 1 is broken$/m);
  alsoSays(diagnosis, 'stuck releases', 'warn', /^belay status -A$/m);
  alsoSays(
    diagnosis,
    'locks',
    'warn',
    /^Secret shop\/sh\.helm\.release\.v1\.stuck\.v1: belay\.dev\/pin is not a SemVer range$/m,
  );
  alsoSays(diagnosis, 'locks', 'warn', /^Namespace shop: belay\.dev\/frezze is no annotation that Belay knows$/m);
  assert.deepEqual([diagnosis.code, diagnosis.guards], [0, true], show(diagnosis));
});
