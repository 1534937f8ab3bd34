import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { versionOfImage } from '../../../../src/cli/doctor/check-versions.ts';
import type { Finding } from '../../../../src/cli/doctor/finding.ts';
import { summary, toText } from '../../../../src/cli/doctor/report.ts';
import { flagOf } from '../../../../src/cli/doctor/workload-objects.ts';

const ok: Finding = { check: 'one', state: 'ok', says: 'is well' };
const fail: Finding = { check: 'another', state: 'fail', says: 'is not', details: ['a', 'b'], next: 'kubectl x' };

test('each finding has a line, its list below, and the next command', () => {
  assert.equal(
    toText({ findings: [ok, fail], guards: true }),
    [
      'ok     one       is well',
      'fail   another   is not',
      '       a',
      '       b',
      '       next: kubectl x',
      '',
      'Belay guards this cluster: 1 check passed, 1 failed.',
      '',
    ].join('\n'),
  );
});

test('text of others cannot control the terminal', () => {
  const says = 'a\u001b[2J\nok   all';
  const text = toText({ findings: [{ ...fail, says, details: [says], next: says }], guards: false });
  assert.equal(text.split('\n').length, 6);
  assert.equal(text.includes('\u001b'), false);
});

describe('the last line', () => {
  const skip: Finding = { check: 'c', state: 'skip', says: '' };
  const warn: Finding = { check: 'c', state: 'warn', says: '' };
  const cases = [
    [[ok], true, 'Belay guards this cluster: 1 check passed.'],
    [[ok, ok, warn], true, 'Belay guards this cluster: 2 checks passed, 1 warning.'],
    [[fail], false, 'Belay is not guarding this cluster: 0 checks passed, 1 failed.'],
    [[ok, skip], undefined, 'Whether Belay guards this cluster could not be told: 1 check passed, 1 not checked.'],
  ] as const;
  for (const [findings, guards, said] of cases) test(said, () => assert.equal(summary({ findings, guards }), said));
});

test('the version of an image, where its tag is one', () => {
  const cases: readonly [string, string | undefined][] = [
    ['belay:0.1.0', '0.1.0'],
    ['images.example.com:5000/a/belay:v1.2.3-rc.1', '1.2.3-rc.1'],
    ['belay:0.1.0@sha256:0123456789abcdef', '0.1.0'],
    ['images.example.com:5000/belay', undefined],
    ['belay@sha256:0123456789abcdef', undefined],
    ['belay:latest', undefined],
    ['', undefined],
  ];
  for (const [image, version] of cases) assert.equal(versionOfImage(image), version, image);
});

test('a flag of the Deployment', () => {
  const of = (...args: readonly string[]) =>
    flagOf({ spec: { template: { spec: { containers: [{ name: 'other' }, { name: 'belay', args }] } } } }, '--x');
  assert.equal(of('serve', '--x=a', '--x=b=c'), 'b=c');
  assert.equal(of('serve', '--x', 'a'), 'a');
  assert.equal(of('serve', '--xy=a'), undefined);
  assert.equal(flagOf(undefined, '--x'), undefined);
});
