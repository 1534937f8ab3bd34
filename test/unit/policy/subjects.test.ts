import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileGlob } from '../../../src/policy/name-glob.ts';
import type { IgnoreRule, PolicySubject } from '../../../src/policy/policy.ts';
import { ignoredPathsFor, isTrusted } from '../../../src/policy/subjects.ts';

const VELERO: PolicySubject = { kind: 'ServiceAccount', namespace: 'velero', name: 'velero' };
const SRE: PolicySubject = { kind: 'Group', name: 'sre' };
const ROOT: PolicySubject = { kind: 'User', name: 'root' };

describe('who is trusted', () => {
  const cases: readonly [name: string, username: string, groups: readonly string[], trusted: boolean][] = [
    ['the service account', 'system:serviceaccount:velero:velero', [], true],
    ['a service account of that name in another namespace', 'system:serviceaccount:shop:velero', [], false],
    ['a user with the name of the service account', 'velero', [], false],
    ['a member of the group', 'alice', ['dev', 'sre'], true],
    ['a user with the name of the group', 'sre', [], false],
    ['the user', 'root', [], true],
    ['a member of a group with the name of the user', 'alice', ['root'], false],
    ['a user without a name', '', [], false],
  ];
  for (const [name, username, groups, trusted] of cases) {
    test(name, () => assert.equal(isTrusted([VELERO, SRE, ROOT], { username, groups }), trusted));
  }
  test('nobody is trusted without subjects', () =>
    assert.equal(isTrusted([], { username: 'root', groups: ['sre'] }), false));
});

const rule = (group: string, kind: string, name: string, ...paths: string[]): IgnoreRule => ({
  group,
  kind,
  matchesName: compileGlob(name),
  paths,
});
const RULES: readonly IgnoreRule[] = [
  rule('apps', 'Deployment', '*', '/spec/replicas'),
  rule('apps', '*', 'web-*', '/spec/paused', '/spec/replicas'),
  rule('', 'ConfigMap', 'web-*', '/data/a'),
  rule('*', 'Widget', '*', '/spec'),
];

describe('the ignored paths', () => {
  const cases: readonly [group: string, kind: string, name: string, paths: readonly string[]][] = [
    ['apps', 'Deployment', 'db', ['/spec/replicas']],
    ['apps', 'Deployment', 'web-1', ['/spec/replicas', '/spec/paused']],
    ['apps', 'StatefulSet', 'web-1', ['/spec/paused', '/spec/replicas']],
    ['apps', 'StatefulSet', 'db', []],
    ['', 'ConfigMap', 'web-1', ['/data/a']],
    ['other', 'ConfigMap', 'web-1', []],
    ['example.com', 'Widget', 'w', ['/spec']],
    ['extensions', 'Deployment', 'db', []],
  ];
  for (const [group, kind, name, paths] of cases) {
    test(`in ${kind} ${name} of ${JSON.stringify(group)}`, () =>
      assert.deepEqual(ignoredPathsFor(RULES, { group, kind, name }), paths));
  }

  test('the same rules give the same array, so that it is compiled once', () => {
    const of = (kind: string, name: string) => ignoredPathsFor(RULES, { group: 'apps', kind, name });
    assert.equal(of('Deployment', 'db'), of('Deployment', 'other'));
    assert.equal(of('Deployment', 'web-1'), of('Deployment', 'web-2'));
    assert.equal(of('StatefulSet', 'db'), of('Job', 'x'));
    assert.notEqual(of('Deployment', 'db'), of('Deployment', 'web-1'));
    assert.equal(ignoredPathsFor([], { group: '', kind: 'Pod', name: 'a' }), of('StatefulSet', 'db'));
  });
});
