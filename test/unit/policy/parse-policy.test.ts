// Longer than 200 lines: a table of every field that can be wrong.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { builtInPolicy } from '../../../src/policy/policy-in-force.ts';
import { PRESET_NAMES } from '../../../src/policy/presets/presets.ts';

const STALE_AFTER_MS = 42_000;
const parse = (spec: unknown) => parsePolicy({ metadata: { name: 'default' }, spec }, { staleAfterMs: STALE_AFTER_MS });

const accepted = (spec: unknown): Policy => {
  const parsed = parse(spec);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.policy;
};

const problemsOf = (spec: unknown): readonly string[] => {
  const parsed = parse(spec);
  assert.ok(!parsed.ok, 'was taken');
  return parsed.problems.map(({ field, problem }) => `${field}: ${problem}`);
};

/** A policy with every field, as YAML 1.1 reads it: a bare Off is false. */
const EXAMPLE = {
  priority: 0,
  match: { namespaceSelector: {}, releases: ['*'] },
  operations: { action: 'Deny', staleAfter: '10m' },
  versions: { action: 'Deny', downgrade: 'Allow', range: '' },
  drift: {
    action: 'Deny',
    users: 'AllFields',
    serviceAccounts: 'ChartFields',
    ignore: [{ group: 'apps', kind: 'Deployment', name: '*', paths: ['/spec/replicas'] }],
    trusted: [{ kind: 'ServiceAccount', namespace: 'velero', name: 'velero' }],
    repair: { action: false, interval: '10m' },
  },
  freeze: {
    reason: '',
    windows: [{ schedule: '0 16 * * FRI', duration: '64h', timeZone: 'Europe/Berlin', reason: 'weekend' }],
  },
};

const window = (change: Record<string, unknown>) => ({
  freeze: { windows: [{ schedule: '0 16 * * FRI', duration: '64h', reason: 'weekend', ...change }] },
});
const ignore = (change: Record<string, unknown>) => ({
  drift: { ignore: [{ kind: 'Deployment', paths: ['/spec/replicas'], ...change }] },
});
const trusted = (subject: Record<string, unknown>) => ({ drift: { trusted: [subject] } });
const expression = (change: Record<string, unknown>) => ({
  match: { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', ...change }] } },
});

describe('a policy that can be read', () => {
  for (const [name, spec] of Object.entries({
    'no spec': undefined,
    'an empty spec': {},
    'empty parts': { operations: {}, versions: {}, drift: { repair: {} }, freeze: {}, match: {} },
  })) {
    test(`${name} is the defaults, under its name`, () => {
      const { matches, ...policy } = accepted(spec);
      const { matches: _, ...builtIn } = builtInPolicy(STALE_AFTER_MS);
      assert.deepEqual(policy, { ...builtIn, name: 'default' });
      assert.ok(matches({ name: 'web', namespaceLabels: {} }));
    });
  }

  test('has a value for every field', () => {
    const { matches, ...policy } = accepted(EXAMPLE);
    const { drift, freeze } = policy;
    assert.deepEqual(policy.operations, { action: 'Deny', staleAfterMs: 600_000 });
    assert.deepEqual(policy.versions, { action: 'Deny', downgrade: 'Allow', range: undefined });
    assert.deepEqual(drift.repair, { action: 'Off', prune: false, intervalMs: 600_000 });
    assert.deepEqual(drift.trusted, [{ kind: 'ServiceAccount', namespace: 'velero', name: 'velero' }]);
    assert.deepEqual(
      drift.ignore.map(({ matchesName, ...rule }) => ({ ...rule, any: matchesName('any.name') })),
      [{ group: 'apps', kind: 'Deployment', paths: ['/spec/replicas'], any: true }],
    );
    assert.deepEqual(freeze, {
      action: 'Deny',
      reason: undefined,
      windows: [{ schedule: '0 16 * * FRI', durationMs: 64 * 3_600_000, timeZone: 'Europe/Berlin', reason: 'weekend' }],
    });
    assert.ok(matches({ name: 'web', namespaceLabels: {} }));
  });

  test('has actions, also a bare Off, which YAML reads as false', () => {
    const policy = accepted({
      operations: { action: 'Warn' },
      versions: { action: 'Off' },
      drift: { action: false },
      freeze: { action: 'Audit' },
    });
    const { operations, versions, drift, freeze } = policy;
    assert.deepEqual(
      [operations.action, versions.action, drift.action, freeze.action],
      ['Warn', 'Off', 'Off', 'Audit'],
    );
  });

  test('has ignore rules for everything where they leave a field out, and windows in UTC where they name no zone', () => {
    const [rule] = accepted(ignore({})).drift.ignore;
    assert.equal(rule?.group, '*');
    assert.ok(rule?.matchesName('any'));
    assert.equal(accepted(window({})).freeze.windows[0]?.timeZone, 'UTC');
  });

  test('leaves fields to subjects, and none of it while frozen where it does not say so', () => {
    const rule = {
      subjects: [{ kind: 'User', name: 'ci' }],
      kind: 'Deployment',
      paths: ['/spec/replicas', '/metadata/annotations/a.b~1c.~*'],
    };
    const [first, second] = accepted({
      drift: { allow: [rule, { ...rule, group: 'apps', name: 'w*', whileFrozen: true }] },
    }).drift.allow;
    assert.deepEqual(first?.subjects, [{ kind: 'User', name: 'ci' }]);
    assert.deepEqual(
      [first?.group, first?.whileFrozen, second?.group, second?.whileFrozen],
      ['*', false, 'apps', true],
    );
    assert.deepEqual([second?.matchesName('web'), second?.matchesName('db')], [true, false]);
    assert.deepEqual(accepted(trusted({ kind: 'User', name: 'ci', whileFrozen: true })).drift.trusted, [
      { kind: 'User', name: 'ci', whileFrozen: true },
    ]);
    assert.deepEqual(accepted({ drift: { presets: ['auto', 'keda'], dryRun: 'Deny' } }).drift.presets, [
      'auto',
      'keda',
    ]);
  });

  test('has subjects as RoleBindings write them', () => {
    const subject = { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'sre' };
    assert.deepEqual(accepted(trusted(subject)).drift.trusted, [{ kind: 'Group', name: 'sre' }]);
  });
});

const CRON = 'is not a cron expression of five fields: minute, hour, day of month, month, day of week';
const NEVER = 'is not a cron expression of five fields that ever comes true';
const ZONE = 'is not an IANA time zone such as Europe/Berlin';
const POINTER = 'is not a JSON Pointer such as /spec/replicas (write ~1 for a / in a key)';
const DURATION = 'is not a duration such as 90s, 10m, 1h30m or 2d';
const GLOB = 'is not a glob: write a name, with at most two * (any characters) and any number of ? (any one character)';

const refused: Record<string, readonly [spec: unknown, ...problems: string[]]> = {
  'a spec that is none': ['x', 'spec: is not of type object'],
  'unknown fields': [
    {
      actoin: 'Deny',
      drift: { repair: { acton: 'Off' } },
      freeze: { windows: [{ ...window({}).freeze.windows[0], tz: '' }] },
    },
    'spec.drift.repair.acton: is no field of a ReleasePolicy',
    'spec.freeze.windows[0].tz: is no field of a ReleasePolicy',
    'spec.actoin: is no field of a ReleasePolicy',
  ],
  'an unknown field whose name would deceive': [{ 'a\u202eb': 1 }, '"spec[a\\u202eb]": is no field of a ReleasePolicy'],
  'an unknown action': [{ drift: { action: 'deny' } }, 'spec.drift.action: "deny" is none of Deny, Warn, Audit, Off'],
  'true for an action': [{ drift: { action: true } }, 'spec.drift.action: true is none of Deny, Warn, Audit, Off'],
  'half a priority': [{ priority: 0.5 }, 'spec.priority: is not a whole number of 32 bits'],
  'a staleAfter that is too short': [
    { operations: { staleAfter: '4s' } },
    'spec.operations.staleAfter: "4s" is shorter than 5s',
  ],
  'a staleAfter that is none': [
    { operations: { staleAfter: '10 min' } },
    `spec.operations.staleAfter: "10 min" ${DURATION}`,
  ],
  'a number for a duration': [{ operations: { staleAfter: 10 } }, 'spec.operations.staleAfter: is not of type string'],
  'repair all the time': [
    { drift: { repair: { interval: '59s' } } },
    'spec.drift.repair.interval: "59s" is shorter than 1m',
  ],
  'an impossible range': [
    { versions: { range: 'latest' } },
    'spec.versions.range: "latest" is not a SemVer range such as 1.4.2, 1.4.x or >=1.2 <2',
  ],
  'a blank range': [
    { versions: { range: '  ' } },
    'spec.versions.range: "  " is not a SemVer range such as 1.4.2, 1.4.x or >=1.2 <2',
  ],
  'a blank reason': [{ freeze: { reason: ' ' } }, 'spec.freeze.reason: is blank; write why, or leave it out'],
  'a reason of a page': [{ freeze: { reason: 'x'.repeat(513) } }, 'spec.freeze.reason: is longer than 512 characters'],
  'a window of nothing': [
    { freeze: { windows: [{}] } },
    'spec.freeze.windows[0].schedule: is missing',
    'spec.freeze.windows[0].duration: is missing',
    'spec.freeze.windows[0].reason: is missing',
  ],
  'a window without a reason': [
    window({ reason: '' }),
    'spec.freeze.windows[0].reason: is empty; write why, for whoever is refused',
  ],
  'a window of no length': [window({ duration: '0s' }), 'spec.freeze.windows[0].duration: "0s" is shorter than 1s'],
  'a window of more than a month': [
    window({ duration: '32d' }),
    'spec.freeze.windows[0].duration: "32d" is longer than 31 days',
  ],
  'a schedule with seconds': [
    window({ schedule: '0 0 16 * * FRI' }),
    `spec.freeze.windows[0].schedule: "0 0 16 * * FRI" ${CRON}`,
  ],
  'a schedule by nickname': [window({ schedule: '@weekly' }), `spec.freeze.windows[0].schedule: "@weekly" ${CRON}`],
  'a date for a schedule': [
    window({ schedule: '2026-11-21T16:00:00' }),
    `spec.freeze.windows[0].schedule: "2026-11-21T16:00:00" ${CRON}`,
  ],
  'an hour that is none': [
    window({ schedule: '0 24 * * *' }),
    `spec.freeze.windows[0].schedule: "0 24 * * *" ${NEVER}`,
  ],
  'a day that never comes': [
    window({ schedule: '0 0 30 2 *' }),
    `spec.freeze.windows[0].schedule: "0 0 30 2 *" ${NEVER}`,
  ],
  'a time zone that is none': [
    window({ timeZone: 'Europe/Berln' }),
    `spec.freeze.windows[0].timeZone: "Europe/Berln" ${ZONE}`,
  ],
  'an offset for a time zone': [window({ timeZone: '+02:00' }), `spec.freeze.windows[0].timeZone: "+02:00" ${ZONE}`],
  'a path by dots': [ignore({ paths: ['spec.replicas'] }), `spec.drift.ignore[0].paths[0]: "spec.replicas" ${POINTER}`],
  'a path with a bad escape': [ignore({ paths: ['/a~2b'] }), `spec.drift.ignore[0].paths[0]: "/a~2b" ${POINTER}`],
  'the path to everything': [ignore({ paths: [''] }), `spec.drift.ignore[0].paths[0]: "" ${POINTER}`],
  'a preset that nobody knows': [
    { drift: { presets: ['kedaa'] } },
    `spec.drift.presets[0]: "kedaa" is none of ${['auto', ...PRESET_NAMES].join(', ')}`,
  ],
  'fields that are left to nobody': [
    { drift: { allow: [{ subjects: [], kind: 'Deployment', paths: ['/spec/replicas'] }] } },
    'spec.drift.allow[0].subjects: is empty',
  ],
  'fields that are left to a service account of no namespace': [
    {
      drift: {
        allow: [{ subjects: [{ kind: 'ServiceAccount', name: 'keda' }], kind: 'Deployment', paths: ['/spec', '/a~2'] }],
      },
    },
    'spec.drift.allow[0].subjects[0].namespace: a ServiceAccount needs a namespace',
    `spec.drift.allow[0].paths[1]: "/a~2" ${POINTER}`,
  ],
  'a dry run that is audited': [{ drift: { dryRun: 'Audit' } }, 'spec.drift.dryRun: "Audit" is none of Warn, Deny'],
  'any characters under an ignored path': [
    ignore({ paths: ['/data/a~*'] }),
    `spec.drift.ignore[0].paths[0]: "/data/a~*" ${POINTER}`,
  ],
  'no path at all': [ignore({ paths: [] }), 'spec.drift.ignore[0].paths: is empty'],
  'a group with its version': [
    ignore({ group: 'apps/v1' }),
    'spec.drift.ignore[0].group: "apps/v1" is not an API group',
  ],
  'a service account of no namespace': [
    trusted({ kind: 'ServiceAccount', name: 'velero' }),
    'spec.drift.trusted[0].namespace: a ServiceAccount needs a namespace',
  ],
  'a user of a namespace': [
    trusted({ kind: 'User', namespace: 'shop', name: 'ci' }),
    'spec.drift.trusted[0].namespace: a User or a Group has no namespace',
  ],
  'no releases': [{ match: { releases: [] } }, 'spec.match.releases: is empty'],
  'three stars': [{ match: { releases: ['web', 'a*b*c*d'] } }, `spec.match.releases[1]: "a*b*c*d" ${GLOB}`],
  braces: [{ match: { releases: ['{a,b}'] } }, `spec.match.releases[0]: "{a,b}" ${GLOB}`],
  'In without values': [
    expression({}),
    'spec.match.namespaceSelector.matchExpressions[0].values: In and NotIn need values',
  ],
  'Exists with values': [
    expression({ operator: 'Exists', values: ['a'] }),
    'spec.match.namespaceSelector.matchExpressions[0].values: Exists and DoesNotExist take no values',
  ],
  'an operator that is none': [
    expression({ operator: 'Gt', values: ['1'] }),
    'spec.match.namespaceSelector.matchExpressions[0].operator: "Gt" is none of In, NotIn, Exists, DoesNotExist',
  ],
  'a label that is none': [
    { match: { namespaceSelector: { matchLabels: { 'a b': 'x', team: 'a b' } } } },
    'spec.match.namespaceSelector.matchLabels[team]: "a b" is not the value of a label',
    '"spec.match.namespaceSelector.matchLabels[a b]": is not the key of a label',
  ],
};

describe('the problems of a policy, by field', () => {
  for (const [name, [spec, ...problems]] of Object.entries(refused)) {
    test(name, () => assert.deepEqual([...problemsOf(spec)].sort(), [...problems].sort()));
  }

  test('any spec is read, or refused in words that are safe to show', () => {
    const field = fc.oneof(
      fc.constantFrom(...Object.keys(EXAMPLE), 'action', 'windows', 'schedule', '__proto__'),
      fc.string(),
    );
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.dictionary(field, fc.jsonValue()));
    fc.assert(
      fc.property(fc.dictionary(field, value), (spec) => {
        const parsed = parse(spec);
        if (parsed.ok) return;
        assert.ok(parsed.problems.length > 0);
        for (const { field, problem } of parsed.problems) assert.doesNotMatch(`${field} ${problem}`, /\p{Cc}|\p{Cf}/u);
      }),
    );
  });
});

test('a map with a key `length` in place of a list is refused', () => {
  const trusted = { length: { toString: null } };
  const parsed = parsePolicy({ metadata: { name: 'x' }, spec: { drift: { trusted } } }, { staleAfterMs: 600_000 });
  assert.equal(parsed.ok, false);
});
