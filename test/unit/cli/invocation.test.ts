import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readInvocation } from '../../../src/cli/invocation.ts';
import { moveLeadingFlags } from '../../../src/cli/leading-flags.ts';

const asPlugin = { HELM_PLUGIN_NAME: 'lock', HELM_BIN: 'helm' };

describe('the caller is recognised', () => {
  const cases: readonly [string, string, Readonly<Record<string, string>>, string][] = [
    ['by its own name', '/usr/bin/belay', {}, 'belay'],
    ['from dist', '/src/dist/belay.js', {}, 'belay'],
    ['by kubectl', '/home/me/.krew/bin/kubectl-belay', {}, 'kubectl belay'],
    ['by kubectl on Windows', 'C:/krew/kubectl-belay.exe', {}, 'kubectl belay'],
    ['by oc', '/usr/bin/oc-belay', {}, 'oc belay'],
    ['by Helm', '/plugins/lock/belay.js', asPlugin, 'helm lock'],
    ['by Helm under another name', '/plugins/x/belay.js', { ...asPlugin, HELM_PLUGIN_NAME: 'belay' }, 'helm belay'],
    ['by kubectl within a plugin of Helm', '/usr/bin/kubectl-belay', asPlugin, 'kubectl belay'],
    ['outside of the plugin', '/usr/bin/belay', { ...asPlugin, HELM_PLUGIN_DIR: '/plugins/secrets' }, 'belay'],
    ['in the plugin', '/plugins/lock/belay.js', { ...asPlugin, HELM_PLUGIN_DIR: '/plugins/lock' }, 'helm lock'],
    ['by a plugin with a strange name', '/p/belay.js', { ...asPlugin, HELM_PLUGIN_NAME: 'a\u001b[31m' }, 'helm lock'],
  ];
  for (const [how, script, env, name] of cases) test(how, () => assert.equal(readInvocation(script, env).name, name));

  test('by Helm, where the plugin is a link to where it is developed', () => {
    const dir = mkdtempSync(join(tmpdir(), 'belay-cli-'));
    try {
      writeFileSync(join(dir, 'belay.js'), '');
      symlinkSync(dir, `${dir}-link`);
      const env = { ...asPlugin, HELM_PLUGIN_DIR: `${dir}-link` };
      assert.equal(readInvocation(join(`${dir}-link`, 'belay.js'), env).by, 'helm');
      assert.equal(readInvocation(join(dir, 'belay.js'), env).by, 'helm');
    } finally {
      rmSync(`${dir}-link`);
      rmSync(dir, { recursive: true });
    }
  });
});

describe('flags of the cluster may come before the command', () => {
  const cases: readonly [string, string][] = [
    ['status -n shop', 'status -n shop'],
    ['-n shop status', 'status -n shop'],
    ['-nshop status web', 'status -nshop web'],
    ['--kube-context=prod -n shop status -A', 'status --kube-context=prod -n shop -A'],
    ['--insecure-skip-tls-verify status', 'status --insecure-skip-tls-verify'],
    ['-n shop lock upgrade web --set a=b', 'lock -n shop upgrade web --set a=b'],
    ['--help', '--help'],
    ['-n shop', '-n shop'],
    ['-n shop --help', '-n shop --help'],
    ['--version', '--version'],
    ['', ''],
  ];
  for (const [given, moved] of cases)
    test(`belay ${given}`, () => assert.deepEqual(moveLeadingFlags(given.split(' ')).join(' '), moved));
});
