import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHelp } from '../../../../src/cli/turn/helm-flags.ts';

test("Helm's help tells which flags take the next argument", () => {
  const { values, switches } = readHelp(
    [
      'Flags:',
      '      --atomic                                     if set, upgrade process rolls back',
      '      --dry-run string[="client"]                  simulate an install',
      '  -h, --help                                       help for upgrade',
      '      --wait WaitStrategy[=watcher]                wait until resources are ready',
      '      --post-renderer-args postRendererArgsSlice   an argument to the post-renderer (default [])',
      '  -f, --values strings                             specify values in a YAML file',
      '      --kube-insecure-skip-tls-verify   if true, the certificate will not be checked',
      'Use --this in a sentence of the description, and it is no flag.',
    ].join('\n'),
  );
  assert.deepEqual([...values], ['--post-renderer-args', '-f', '--values']);
  assert.deepEqual(
    [...switches],
    ['--atomic', '--dry-run', '-h', '--help', '--wait', '--kube-insecure-skip-tls-verify'],
  );
});
