import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Command } from 'commander';
import { fromHelmEnvironment, openCluster } from '../../../../src/cli/access/cluster-access.ts';
import { addClusterOptions, type ClusterOptions } from '../../../../src/cli/access/cluster-options.ts';
import { Failure } from '../../../../src/cli/failure.ts';

const dir = mkdtempSync(join(tmpdir(), 'belay-kubeconfig-'));
after(() => rmSync(dir, { recursive: true }));

const kubeconfig = (name: string, contexts: readonly string[], current: string): string => {
  const file = join(dir, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: contexts.map((context) => ({
      name: `${context}-cluster`,
      cluster: { server: `https://${name}.${context}` },
    })),
    users: contexts.map((context) => ({ name: `${context}-user`, user: { token: 't' } })),
    contexts: contexts.map((context) => ({
      name: context,
      context: { cluster: `${context}-cluster`, user: `${context}-user`, namespace: `${context}-ns` },
    })),
    'current-context': current,
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
};

const a = kubeconfig('a', ['one', 'two'], '');
const b = kubeconfig('b', ['two', 'three'], 'three');
const missing = join(dir, 'missing');
const HOME = join(dir, 'home');
mkdirSync(HOME);

const parse = (line: string): ClusterOptions => {
  const command = addClusterOptions(new Command());
  command.parse(line === '' ? [] : line.split(' '), { from: 'user' });
  return command.opts();
};

describe('the cluster and the namespace are those that kubectl and Helm would take', () => {
  const cases: readonly [string, string, Readonly<Record<string, string>>, string][] = [
    ['the current context', '', { KUBECONFIG: b }, 'https://b.three three-ns'],
    ['of several files the first that says', '', { KUBECONFIG: [a, b].join(delimiter) }, 'https://b.three three-ns'],
    ['one that is not there is left out', '', { KUBECONFIG: [missing, b].join(delimiter) }, 'https://b.three three-ns'],
    ['of a name the first counts', '--context two', { KUBECONFIG: [a, b].join(delimiter) }, 'https://a.two two-ns'],
    ['and the other way round', '--context two', { KUBECONFIG: [b, a].join(delimiter) }, 'https://b.two two-ns'],
    ['a file by flag', `--kubeconfig ${b}`, { KUBECONFIG: a }, 'https://b.three three-ns'],
    ["Helm's name of a flag", '--kube-context two', { KUBECONFIG: b }, 'https://b.two two-ns'],
    ['a namespace by flag', '-n x', { KUBECONFIG: b, HELM_NAMESPACE: 'y' }, 'https://b.three x'],
    ["a namespace by Helm's environment", '', { KUBECONFIG: b, HELM_NAMESPACE: 'y' }, 'https://b.three y'],
    ["a context by Helm's environment", '', { KUBECONFIG: b, HELM_KUBECONTEXT: 'two' }, 'https://b.two two-ns'],
    ['a server by flag', '--server https://s', { KUBECONFIG: b }, 'https://s three-ns'],
    ['a server and a token alone', '--kube-apiserver https://s --kube-token t', { HOME }, 'https://s default'],
    ['another cluster', '--cluster two-cluster', { KUBECONFIG: b }, 'https://b.two three-ns'],
  ];
  for (const [what, line, env, expected] of cases)
    test(what, async () => {
      const { server, namespace } = await openCluster(parse(line), { by: 'belay' }, env);
      assert.equal(`${server} ${namespace}`, expected);
    });

  test("kubectl's plugin does not look at Helm's environment", async () => {
    const env = { KUBECONFIG: b, HELM_NAMESPACE: 'y', HELM_KUBECONTEXT: 'two' };
    assert.equal((await openCluster({}, { by: 'kubectl' }, env)).namespace, 'three-ns');
  });
});

describe('where there is no cluster to talk to, one line says so', () => {
  const broken = join(dir, 'broken');
  writeFileSync(broken, 'a: [\nb: }');
  const credentials = join(dir, 'credentials');
  writeFileSync(
    credentials,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://c' } }],
      users: [
        {
          name: 'u',
          user: {
            exec: {
              apiVersion: 'client.authentication.k8s.io/v1',
              command: 'sh',
              args: ['-c', 'echo first >&2; echo sign in first >&2; exit 3'],
            },
          },
        },
      ],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  const cases: readonly [string, string, Readonly<Record<string, string>>, RegExp][] = [
    ['no kubeconfig', '', { HOME }, /^no cluster to talk to/],
    ['a file that is not there', `--kubeconfig ${missing}`, {}, /missing cannot be read/],
    ['a file that is broken', '', { KUBECONFIG: broken }, /broken cannot be read/],
    ['no such context', '--context nope', { KUBECONFIG: b }, /no context "nope"/],
    ['no current context', '', { KUBECONFIG: a }, /^no cluster to talk to/],
    ['a CA that is not there', `--certificate-authority ${missing}`, { KUBECONFIG: b }, /no credentials.*missing/],
    [
      'a credential plugin that fails',
      '',
      { KUBECONFIG: credentials },
      /^no credentials for the cluster: sign in first$/,
    ],
  ];
  for (const [what, line, env, said] of cases)
    test(what, async () => {
      await assert.rejects(openCluster(parse(line), { by: 'belay' }, env), (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.exitCode, 69);
        assert.match(error.message, said);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
});

test('every flag is taken by its name in kubectl and in Helm', () => {
  assert.deepEqual(parse('--as a --as-group b --as-group c --token d --tls-server-name e --insecure-skip-tls-verify'), {
    as: 'a',
    asGroup: ['b', 'c'],
    token: 'd',
    tlsServerName: 'e',
    insecureSkipTlsVerify: true,
  });
  assert.deepEqual(
    parse(
      '--kube-as-user a --kube-as-group b --kube-as-group c --kube-token d --kube-tls-server-name e --kube-insecure-skip-tls-verify --kube-ca-file f',
    ),
    {
      as: 'a',
      asGroup: ['b', 'c'],
      token: 'd',
      tlsServerName: 'e',
      insecureSkipTlsVerify: true,
      certificateAuthority: 'f',
    },
  );
});

test("Helm's environment", () => {
  const env = {
    HELM_KUBEASUSER: 'a',
    HELM_KUBEASGROUPS: 'b,c',
    HELM_KUBETOKEN: 'd',
    HELM_KUBEAPISERVER: 'https://e',
    HELM_KUBECAFILE: 'f',
    HELM_KUBEINSECURE_SKIP_TLS_VERIFY: 'false',
    HELM_KUBETLS_SERVER_NAME: '',
  };
  assert.deepEqual(JSON.parse(JSON.stringify(fromHelmEnvironment(env))), {
    as: 'a',
    asGroup: ['b', 'c'],
    token: 'd',
    server: 'https://e',
    certificateAuthority: 'f',
  });
});
