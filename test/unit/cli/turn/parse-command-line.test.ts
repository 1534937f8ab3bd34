import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EXIT, Failure } from '../../../../src/cli/failure.ts';
import { flagsOf, type HelmCommand, readHelp } from '../../../../src/cli/turn/helm-flags.ts';
import { lastValueOf, mayInstall, parseCommandLine, pickFlags } from '../../../../src/cli/turn/parse-command-line.ts';

const words = (line: string): readonly string[] => line.split(' ').filter((word) => word !== '');

interface Case {
  readonly line: string;
  readonly releases?: readonly string[];
  readonly chart?: string;
  readonly namespace?: string;
  readonly unlocked?: string;
  /** What is run; the line itself if left out. */
  readonly run?: string;
}

const CASES: readonly Case[] = [
  { line: 'install demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade --install demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade demo --install ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade -i demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade demo ./chart -n shop', releases: ['demo'], chart: './chart', namespace: 'shop' },
  { line: 'upgrade -nshop demo ./chart', releases: ['demo'], chart: './chart', namespace: 'shop' },
  { line: 'upgrade -n=shop demo ./chart', releases: ['demo'], chart: './chart', namespace: 'shop' },
  { line: 'upgrade --namespace=shop demo ./chart', releases: ['demo'], chart: './chart', namespace: 'shop' },
  { line: '--namespace shop upgrade demo ./chart', releases: ['demo'], chart: './chart', namespace: 'shop' },
  {
    line: '--kube-context prod -n shop --debug upgrade demo ./chart',
    releases: ['demo'],
    chart: './chart',
    namespace: 'shop',
  },
  { line: 'upgrade --set a=b,c --set-string d=e demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade -if values.yaml demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade -ifvalues.yaml demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade --set --install demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade --wait demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade --wait=legacy demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade --server-side false demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'install --server-side demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade demo -- ./chart', releases: ['demo'], chart: './chart' },
  { line: 'upgrade demo oci://host/chart --version 1.2.3', releases: ['demo'], chart: 'oci://host/chart' },
  {
    line: 'upgrade demo ./chart --kube-as-user ann --kube-as-group a --kube-as-group b',
    releases: ['demo'],
    chart: './chart',
  },
  { line: 'rollback demo', releases: ['demo'] },
  { line: 'rollback demo 3 --wait', releases: ['demo'] },
  { line: 'uninstall b a', releases: ['a', 'b'] },
  { line: 'delete a', releases: ['a'] },
  { line: 'del a', releases: ['a'] },
  { line: 'un a --keep-history', releases: ['a'] },
  { line: 'secrets upgrade demo ./chart -f secrets.yaml', releases: ['demo'], chart: './chart' },
  { line: 'secrets --driver vals upgrade demo ./chart', releases: ['demo'], chart: './chart' },
  { line: 'any demo -- helmfile apply --namespace x', releases: ['demo'], run: 'helmfile apply --namespace x' },
  {
    line: 'any demo -n shop -- kubectl get pods -n x',
    releases: ['demo'],
    namespace: 'shop',
    run: 'kubectl get pods -n x',
  },
  { line: 'any demo helmfile apply --lock-timeout 1m', releases: ['demo'], run: 'helmfile apply --lock-timeout 1m' },
  { line: 'install ./chart --generate-name', releases: [], unlocked: 'new name', chart: './chart' },
  { line: 'install -g ./chart', releases: [], unlocked: 'new name', chart: './chart' },
  { line: 'install --name-template x-{{randAlpha}} ./chart', releases: [], unlocked: 'new name', chart: './chart' },
  { line: 'upgrade demo ./chart --dry-run', releases: [], unlocked: 'dry-run' },
  { line: 'upgrade demo ./chart --dry-run=server', releases: [], unlocked: 'dry-run' },
  { line: 'upgrade demo ./chart --dry-run=none', releases: ['demo'], chart: './chart' },
  { line: 'uninstall demo --dry-run=false', releases: ['demo'] },
  { line: 'upgrade --help', releases: [], unlocked: 'help' },
  { line: 'upgrade demo -h', releases: [], unlocked: 'help' },
  { line: 'upgrade demo', releases: [], unlocked: 'incomplete' },
  { line: 'install demo', releases: [], unlocked: 'incomplete' },
];

describe('the release, the chart and the namespace are found as Helm finds them', () => {
  for (const { line, releases, chart, namespace, unlocked, run } of CASES) {
    test(line, () => {
      const command = parseCommandLine(words(line));
      assert.deepEqual(command.releases, releases);
      assert.equal(command.chart, chart);
      assert.equal(lastValueOf(command, '-n', '--namespace'), namespace);
      assert.equal(command.unlocked, unlocked);
      assert.deepEqual(command.run, words(run ?? line), 'what is run is what was typed');
    });
  }
});

describe('a command line that makes no sense is a usage error', () => {
  for (const line of [
    '',
    'list',
    'upgrade',
    'uninstall --keep-history',
    'any',
    'any demo',
    'any demo --',
    'diff a b upgrade demo ./chart',
    'upgrade demo ./chart --lock-timeout soon',
    'upgrade demo ./chart --lock-timeout',
    'rollback demo --only-newer',
  ]) {
    test(line || '(nothing)', () => {
      assert.throws(
        () => parseCommandLine(words(line)),
        (error) => error instanceof Failure && error.exitCode === EXIT.usage,
      );
    });
  }
});

test("lock's own flags are taken from anywhere, and never reach Helm", () => {
  const line =
    '--skip-locked upgrade --lock-timeout 90s demo --no-recover ./chart --only-newer=true --no-recover=false --install';
  const command = parseCommandLine(words(line));
  assert.deepEqual(command.options, { lockTimeoutMs: 90_000, recover: true, onlyNewer: true, skipLocked: true });
  assert.deepEqual(command.run, words('upgrade demo ./chart --install'));
  assert.ok(mayInstall(command));
});

test('the value of another flag is never one of ours', () => {
  const command = parseCommandLine(words('upgrade demo ./chart --description --no-recover'));
  assert.equal(command.options.recover, true);
  assert.deepEqual(command.run, words('upgrade demo ./chart --description --no-recover'));
});

test("a flag that no table knows is read by Helm's own help", () => {
  const line = words('upgrade --brand-new value demo ./chart');
  assert.deepEqual(parseCommandLine(line).unknown, ['--brand-new']);
  const learnt = readHelp(
    'Flags:\n      --brand-new string   what it is for\n  -h, --help               help for upgrade\n',
  );
  assert.deepEqual(parseCommandLine(line, learnt).releases, ['demo']);
});

test('flags are handed on in the words in which they were given', () => {
  const command = parseCommandLine(words('upgrade -nshop --timeout=3m demo ./chart --kube-context prod --debug'));
  assert.deepEqual(
    pickFlags(command, { values: new Set(['-n', '--timeout', '--kube-context']), switches: new Set(['--debug']) }),
    words('-n=shop --timeout=3m --kube-context prod --debug'),
  );
});

/** One flag with a value that could be mistaken for anything, in each way to write it. */
const flagOf = (command: HelmCommand): fc.Arbitrary<readonly string[]> => {
  const { values, switches } = flagsOf(command);
  const pick = (flags: ReadonlySet<string>): fc.Arbitrary<string> =>
    fc.constantFrom(...[...flags].filter((flag) => !['-h', '--help', '--dry-run', '--name-template'].includes(flag)));
  const value = fc.oneof(
    fc.constantFrom('x', '--', '-', '--install', 'upgrade', 'any', '--lock-timeout', 'a=b,c'),
    fc.string(),
  );
  return fc.oneof(
    fc.tuple(pick(values), value).map(([flag, text]) => [flag, text]),
    fc.tuple(pick(values), value).map(([flag, text]) => [`${flag}=${text}`]),
    pick(switches)
      .filter((flag) => !['-g', '--generate-name'].includes(flag))
      .map((flag) => [flag]),
  );
};

test('wherever flags stand, the words between them stay the same, and all of it is passed on', () => {
  for (const [kind, tail] of [
    ['upgrade', ['demo', './chart']],
    ['install', ['demo', './chart']],
    ['rollback', ['demo', '3']],
    ['uninstall', ['demo']],
  ] as const) {
    const line = fc
      .tuple(...[...tail, ''].map(() => fc.array(flagOf(kind), { maxLength: 4 })))
      .map((gaps) => [
        kind,
        ...gaps.flatMap((flags, index) => [...flags.flat(), ...(tail[index] === undefined ? [] : [tail[index]])]),
      ]);
    fc.assert(
      fc.property(line, (args) => {
        const command = parseCommandLine(args);
        assert.deepEqual(command.releases, ['demo']);
        assert.deepEqual(command.run, args);
        assert.deepEqual(command.unknown, []);
      }),
    );
  }
});
