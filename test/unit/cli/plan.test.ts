import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chartFor, type OperationRequest, planOperation, refuseAsHelm } from '../../../src/cli/check/plan.ts';
import type { HelmStatus, ReleaseRecord } from '../../../src/helm/record.ts';

const record = (revision: number, status: HelmStatus): ReleaseRecord => ({
  kind: 'Secret',
  namespace: 'shop',
  name: `sh.helm.release.v1.web.v${revision}`,
  uid: String(revision),
  resourceVersion: '1',
  release: 'web',
  revision,
  status,
  locks: undefined,
  createdAtMs: 0,
  updatedAtMs: 0,
});

const request = (operation: OperationRequest['operation'], more: Partial<OperationRequest> = {}): OperationRequest => ({
  operation,
  name: 'web',
  chart: undefined,
  version: undefined,
  revision: undefined,
  ...more,
});

const history = [record(1, 'superseded'), record(2, 'deployed'), record(3, 'failed')];
const plan = (asked: OperationRequest, records: readonly ReleaseRecord[] = history) =>
  planOperation(asked, records, records.at(-1));

describe('what Helm would write first', () => {
  test('of an upgrade: the next revision, of the chart that is deployed', () =>
    assert.deepEqual(plan(request('upgrade')), { writes: 'new', revision: 4, chartOf: history[1] }));
  test('of a rollback: the next revision, of the chart of the one before', () =>
    assert.deepEqual(plan(request('rollback')), { writes: 'new', revision: 4, chartOf: history[1] }));
  test('of a rollback to a revision: of its chart', () =>
    assert.deepEqual(plan(request('rollback', { revision: 1 })), { writes: 'new', revision: 4, chartOf: history[0] }));
  test('of an uninstall: the newest revision once more', () =>
    assert.deepEqual(plan(request('uninstall')), { writes: 'uninstalling', record: history[2] }));
  test('of an install: the first revision', () =>
    assert.deepEqual(plan(request('install'), []), { writes: 'new', revision: 1, chartOf: undefined }));
});

describe('a refusal of Helm itself is reported', () => {
  const cases: readonly [string, () => unknown, RegExp][] = [
    ['install over what is deployed', () => plan(request('install'), [record(1, 'deployed')]), /it is deployed/],
    ['uninstall once more', () => plan(request('uninstall'), [record(1, 'uninstalled')]), /uninstalled already/],
    ['rollback of a first revision', () => plan(request('rollback'), [record(1, 'deployed')]), /no revision before/],
    ['rollback to one that is gone', () => plan(request('rollback', { revision: 9 })), /no revision 9/],
    [
      'upgrade over what is stuck',
      () => refuseAsHelm(request('upgrade'), record(4, 'pending-upgrade')),
      /pending-upgrade/,
    ],
    ['a chart that nobody knows', () => chartFor(request('install'), undefined), /--chart NAME and --version/],
  ];
  for (const [what, attempt, said] of cases) test(what, () => assert.throws(attempt, said));
  test('Helm does not refuse a rollback of a stuck release', () =>
    refuseAsHelm(request('rollback'), record(4, 'pending-upgrade')));
});

describe('the chart that an operation brings', () => {
  const known = { name: 'shop', version: '1.4.0' };
  const cases: readonly [OperationRequest, string][] = [
    [request('upgrade'), 'shop-1.4.0'],
    [request('upgrade', { version: '2.0.0' }), 'shop-2.0.0'],
    [request('upgrade', { chart: 'bitnami/nginx', version: '2.0.0' }), 'nginx-2.0.0'],
    [request('upgrade', { chart: './charts/other/' }), 'other-1.4.0'],
    [request('rollback', { version: '9.9.9' }), 'shop-1.4.0'],
  ];
  for (const [asked, expected] of cases)
    test(expected, () => {
      const { name, version } = chartFor(asked, known);
      assert.equal(`${name}-${version}`, expected);
    });
});
