// Beyond 200 lines: status, explain and policy are three views of the same releases, which are set up once.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explainLines } from '../../../src/cli/explain/explain-lines.ts';
import { policyRow, viewPolicies } from '../../../src/cli/policy/policy-list.ts';
import { candidatesFor } from '../../../src/cli/releases/candidates.ts';
import { viewReleases } from '../../../src/cli/releases/release-view.ts';
import type { Snapshot } from '../../../src/cli/releases/snapshot.ts';
import { statusObject } from '../../../src/cli/status/status-object.ts';
import { statusRow } from '../../../src/cli/status/status-rows.ts';
import { readStoredPolicy } from '../../../src/facts/stored-policy.ts';
import type { HelmStatus, ReleaseRecord } from '../../../src/helm/record.ts';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const MINUTE = 60_000;

const record = (
  revision: number,
  status: HelmStatus,
  locks?: Readonly<Record<string, string>>,
  more: Partial<ReleaseRecord> = {},
): ReleaseRecord => ({
  kind: 'Secret',
  namespace: 'shop',
  name: `sh.helm.release.v1.web.v${revision}`,
  uid: String(revision),
  resourceVersion: '1',
  release: 'web',
  revision,
  status,
  locks,
  createdAtMs: 0,
  updatedAtMs: NOW - 3 * MINUTE,
  ...more,
});

const stored = (name: string, spec: object) =>
  readStoredPolicy({ metadata: { name, uid: name, generation: 1 }, spec }, undefined, (text) =>
    parsePolicy(text, { staleAfterMs: 10 * MINUTE }),
  );

const snapshotOf = (records: readonly ReleaseRecord[], more: Partial<Snapshot> = {}): Snapshot => ({
  records,
  claims: new Map(),
  namespace: (name) => ({ name, annotations: {}, labels: { team: 'a' }, terminating: false }),
  policies: [],
  drifted: new Set(),
  ...more,
});

const CHARTS = new Map(
  [1, 2, 3].map((uid) => [String(uid), { chart: { name: 'shop', version: `1.${uid}.0` }, namespace: 'shop' }]),
);

const only = (snapshot: Snapshot) => {
  const [view] = viewReleases(snapshot, CHARTS, NOW);
  assert.ok(view);
  return view;
};

const row = (snapshot: Snapshot, wide = false): string =>
  statusRow(only(snapshot), { wide, allNamespaces: false, nowMs: NOW })
    .map(({ text }) => text)
    .join(' | ');

describe('a line of status', () => {
  const claim = {
    resourceVersion: '1',
    holder: 'alice',
    operation: 'upgrade' as const,
    revision: 2,
    acquiredAtMs: NOW - 4 * MINUTE,
    renewedAtMs: NOW - 4 * MINUTE,
    recordVersion: undefined,
  };
  const pending = [record(1, 'deployed'), record(2, 'pending-upgrade')];
  const claims = new Map([['shop/web', claim]]);
  const cases: readonly [string, Snapshot, string][] = [
    [
      'a release',
      snapshotOf([record(1, 'deployed')]),
      'web | shop-1.1.0 | 1 | deployed | <none> | <none> | <none> | 3m',
    ],
    [
      'its newest revision, and a lock on any',
      snapshotOf([record(1, 'deployed', { 'belay.dev/freeze': 'x' }), record(2, 'failed')]),
      'web | shop-1.2.0 | 2 | failed | frozen | <none> | <none> | 3m',
    ],
    [
      'an operation in flight',
      snapshotOf(pending, { claims }),
      'web | shop-1.2.0 | 2 | pending-upgrade | <none> | upgrade by alice (4m) | <none> | 3m',
    ],
    [
      'one that nobody has heard of for longer than its Lease says',
      snapshotOf(pending, { claims: new Map([['shop/web', { ...claim, silenceMs: MINUTE }]]) }),
      'web | shop-1.2.0 | 2 | pending-upgrade | <none> | stale upgrade by alice (4m) | <none> | 3m',
    ],
    [
      'one of which the Lease may not be read',
      snapshotOf(pending, { claims: undefined }),
      'web | shop-1.2.0 | 2 | pending-upgrade | <none> | upgrade by <unknown> (3m) | <none> | 3m',
    ],
    [
      'what may not be read',
      snapshotOf([record(9, 'deployed')], { namespace: () => undefined, policies: undefined }),
      'web | <unknown> | 9 | deployed | <unknown> | <none> | <unknown> | 3m',
    ],
    [
      'the policy in force, and its freeze',
      snapshotOf([record(1, 'deployed')], {
        policies: [stored('calm', { freeze: { reason: 'x' } })].flatMap(({ accepted }) => accepted?.policy ?? []),
      }),
      'web | shop-1.1.0 | 1 | deployed | frozen | <none> | calm | 3m',
    ],
  ];
  const drifted = (...uids: readonly string[]): Partial<Snapshot> => ({ drifted: new Set(uids) });
  const failed = [record(1, 'superseded'), record(2, 'deployed'), record(3, 'failed')];
  const marks: readonly (readonly [string, Snapshot, string])[] = [
    ['one that has drifted', snapshotOf([record(1, 'deployed')], drifted('1')), 'deployed,drifted'],
    ['one whose upgrade failed: the revision before it has', snapshotOf(failed, drifted('2')), 'failed,drifted'],
    ['what an earlier revision had is over', snapshotOf(failed, drifted('1')), 'failed'],
    ['one of which that is not known', snapshotOf([record(1, 'deployed')], { drifted: undefined }), 'deployed'],
  ];
  for (const [what, snapshot, expected] of marks)
    test(what, () => assert.equal(row(snapshot).split(' | ')[3], expected));

  for (const [what, more, column, value] of [
    ['found', drifted('1'), 'detected', 'detected'],
    ['not found', drifted(), '<none>', undefined],
    ['not to be told', { drifted: undefined }, '<unknown>', null],
  ] as const)
    test(`drift that is ${what} is told in a column of its own, and to programs`, () => {
      const snapshot = snapshotOf([record(1, 'deployed')], more);
      assert.equal(row(snapshot, true).split(' | ')[8], column);
      assert.equal((statusObject(only(snapshot)) as { drift?: unknown }).drift, value);
    });

  test('a release that has drifted is not green', () => {
    const cells = statusRow(only(snapshotOf([record(1, 'deployed')], drifted('1'))), {
      ...{ wide: false, allNamespaces: false, nowMs: NOW },
    });
    assert.equal(cells.find(({ text }) => text === 'deployed,drifted')?.style, 'yellow');
  });

  for (const [what, snapshot, expected] of cases) test(what, () => assert.equal(row(snapshot), expected));

  test('is wide enough for ranges, ends and reasons, and shows no control characters', () => {
    const locks = {
      'belay.dev/freeze': 'a\u001b[31mb\nc',
      'belay.dev/freeze-until': '2026-02-01T00:00:00Z',
      'belay.dev/pin': '1.x',
    };
    const text = row(snapshotOf([record(1, 'deployed', locks)]), true);
    assert.match(text, / \| 2026-02-01T00:00:00Z \| "1\.x" \| a\\u001b\[31mb\\nc$/);
  });
});

describe('explain', () => {
  const all = [
    stored('low', { priority: 1 }),
    stored('b', { priority: 7, versions: { range: '<2', downgrade: 'Deny' } }),
    stored('a', {
      priority: 7,
      match: { releases: ['w*'] },
      freeze: { windows: [{ schedule: '0 16 * * FRI', duration: '64h', timeZone: 'UTC', reason: 'weekend' }] },
    }),
    stored('other', { priority: 9, match: { releases: ['db'] } }),
  ].flatMap(({ accepted }) => accepted?.policy ?? []);

  test('names every candidate and every lock, with the command that lifts it', () => {
    const locks = { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-by': 'dev' };
    const snapshot = snapshotOf([record(1, 'superseded', locks), record(2, 'deployed', locks)], { policies: all });
    const view = only(snapshot);
    const candidates = candidatesFor(all, 'web', { team: 'a' });
    assert.deepEqual(
      candidates.map(({ name }) => name),
      ['a', 'b', 'low'],
    );
    assert.equal(candidates[0], view.policy);
    const text = explainLines({ view, candidates, nowMs: NOW }, { by: 'kubectl', name: 'kubectl belay' }).join('\n');
    assert.equal(
      text,
      `Name:       web
Namespace:  shop
Chart:      shop-1.2.0
Revision:   2, deployed
Changed:    2026-01-31T11:57:00Z
Stored in:  Secret sh.helm.release.v1.web.v1, v2
Policy:
  a, priority 7: the first by name of those with the highest priority
  not in force: b, priority 7
  not in force: low, priority 1
  see kubectl get releasepolicy a -o yaml
Rules:
  operations: Deny, an operation is stale after 10m
  versions:   Deny, any version, downgrades allowed
  drift:      Deny, people AllFields, service accounts ChartFields, 0 ignored, 0 trusted
  freeze:     Deny
    window "0 16 * * FRI" (UTC) for 2d16h: open until 2026-02-02T08:00:00Z (in 1d20h)
Locks:
  frozen by dev, on Secret sh.helm.release.v1.web.v1, v2: "black friday"
    to lift it, if you may: kubectl belay unfreeze web -n shop
  frozen, until 2026-02-02T08:00:00Z (in 1d20h), on ReleasePolicy a: "weekend"
    to lift it, if you may: kubectl edit releasepolicy a
Operation:
  none: nobody holds the release`,
    );
  });
});

describe('policies', () => {
  test('each is in force for the releases that it wins', () => {
    const policies = [
      stored('high', { priority: 2, match: { releases: ['web'] } }),
      stored('broken', { priority: 'x' }),
    ];
    const records = [record(1, 'deployed'), record(2, 'deployed', undefined, { release: 'api', namespace: 'b' })];
    const { views, unknown } = viewPolicies(policies, snapshotOf(records));
    assert.equal(unknown, 0);
    assert.deepEqual(
      views.map((view) =>
        policyRow(view, true, NOW)
          .map(({ text }) => text)
          .join(' '),
      ),
      [
        'high 2 True 1 Deny Deny Deny <none> shop/web ',
        'broken <unknown> False 0 <none> <none> <none> <none> <none> ',
        '<built-in> 0 True 1 Deny Deny Deny <none> b/api ',
      ],
    );
  });
});
