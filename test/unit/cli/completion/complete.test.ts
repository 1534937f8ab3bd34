import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Command } from 'commander';
import { showAnswer } from '../../../../src/cli/completion/answer.ts';
import { complete } from '../../../../src/cli/completion/complete.ts';
import { findPlace } from '../../../../src/cli/completion/find-place.ts';
import { OWN_FLAGS } from '../../../../src/cli/completion/helm-candidates.ts';
import type { Invocation } from '../../../../src/cli/invocation.ts';
import { createProgram } from '../../../../src/cli/program.ts';
import { lockHelp } from '../../../../src/cli/turn/help.ts';

const BELAY: Invocation = { by: 'belay', name: 'belay' };
const HELM: Invocation = { by: 'helm', name: 'helm lock' };

// Hides any cluster of this machine.
process.env.KUBECONFIG = '/nonexistent/kubeconfig';
delete process.env.KUBERNETES_SERVICE_HOST;

const ask = (line: string, invocation: Invocation = BELAY): Promise<string> =>
  complete(createProgram(invocation), line.split(' '), invocation);

/** The candidates without their descriptions, and the directive. */
const bare = async (line: string, invocation?: Invocation): Promise<string> =>
  (await ask(line, invocation)).replaceAll(/\t.*$/gm, '').trimEnd().replaceAll('\n', ' ');

describe('what is offered, without a cluster', () => {
  const cases: readonly (readonly [line: string, offered: string, invocation?: Invocation])[] = [
    ['unf', 'unfreeze :4'],
    ['help unf', 'unfreeze :4'],
    ['nonsense ', ':4'],
    ['status --out', '--output :4'],
    ['status --kube', '--kubeconfig :4'],
    ['status --output ', 'wide json yaml name :4'],
    ['status -o j', 'json :4'],
    ['status --output=j', 'json :4'],
    ['status ', ':4'],
    ['status --kubeconfig ', ':0'],
    ['status --kubeconfig=a', ':0'],
    ['-n shop unf', 'unfreeze :4'],
    ['check u', 'upgrade uninstall :4'],
    ['check upgrade web ', ':4'],
    ['no-downgrade ', ':4'],
    ['no-downgrade web ', 'on off :4'],
    ['no-downgrade --namespace-wide ', 'on off :4'],
    ['freeze -- --o', ':4'],
    ['doc', 'doctor :4'],
    ['doctor --pr', '--probe-namespace :4'],
    ['doctor -o ', 'table json yaml :4'],
    ['completion ', 'bash zsh fish :4'],
    ['lock u', 'upgrade uninstall :4'],
    ['lock upgrade --lock-timeout ', ':4'],
    ['u', 'unfreeze unpin :4'],
    ['u', 'upgrade uninstall unfreeze unpin :4', HELM],
    ['upgrade --lock-timeout=', ':4', HELM],
  ];
  for (const [line, offered, invocation] of cases) {
    test(`${invocation?.name ?? 'belay'} ${line}|`, async () => {
      const seen = await bare(line, invocation);
      assert.deepEqual(seen.split(' ').sort(), offered.split(' ').sort());
    });
  }

  test('commands and flags come with a word about them', async () => {
    assert.equal(await ask('unfr'), 'unfreeze\tlift a freeze\n:4\n');
    assert.match(await ask('status --no-h'), /^--no-headers\t\S/);
  });
});

describe('where a word stands', () => {
  const program = createProgram(BELAY);
  const at = (line: string) =>
    findPlace(program, line.split(' '), (word) => (word === 'lock' ? 'from the next' : undefined));

  test('the cluster that was named so far is asked', () => {
    const place = at('-n shop status --context=prod --as ann --as-group a --as-group b web ');
    assert.ok(place.at === 'argument');
    assert.deepEqual(place.cluster, { namespace: 'shop', context: 'prod', as: 'ann', asGroup: ['a', 'b'] });
    assert.deepEqual(place.words, ['web']);
    const joined = at('status -nshop ');
    assert.ok(joined.at === 'argument');
    assert.deepEqual(joined.cluster, { namespace: 'shop' });
  });

  test("Helm's own names of flags count as well", () => {
    const place = at('status --kube-context prod ');
    assert.ok(place.at === 'argument');
    assert.deepEqual(place.cluster, { context: 'prod' });
  });

  test('what follows lock is for Helm to complete', () => {
    assert.deepEqual(at('-n shop lock upgrade --i'), {
      at: 'helm',
      words: ['upgrade', '--i'],
      cluster: ['-n', 'shop'],
    });
  });

  test('a program without commands', () => {
    assert.deepEqual(
      findPlace(new Command(), ['x', ''], () => undefined),
      { at: 'nowhere' },
    );
  });
});

test('a name that would be two lines is left out', () => {
  const candidates = [
    { value: 'a\nb' },
    { value: 'a\u001b[2J' },
    { value: 'ab', description: 'x\ty' },
    { value: 'abc' },
  ];
  assert.equal(showAnswer({ candidates, end: 'only' }, 'a'), 'abc\n:4\n');
});

test('the flags of lock are those that its help tells of', () => {
  const told = [...lockHelp('belay lock').matchAll(/^ {2}(--[\w-]+)/gm)].map(([, flag]) => flag);
  assert.deepEqual(Object.keys(OWN_FLAGS), told);
});
