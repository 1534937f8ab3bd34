import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Condition, type PolicyStatus, toPolicyStatus } from '../../../src/facts/policy-status.ts';
import { readStoredPolicy, type StoredPolicy } from '../../../src/facts/stored-policy.ts';
import type { ReflectedObject } from '../../../src/kubernetes/object.ts';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';

const nowMs = Date.UTC(2026, 0, 31, 12);
const parse = (object: Parameters<typeof parsePolicy>[0]) => parsePolicy(object, { staleAfterMs: 600_000 });

const policy = (generation: number, spec: unknown, more: { uid?: string; name?: string; status?: unknown } = {}) => {
  const { uid = 'uid-1', name = 'shop', status } = more;
  return { metadata: { name, uid, generation }, spec, ...(status !== undefined && { status }) } as ReflectedObject;
};

const good = { versions: { range: '1.x' } };
const better = { versions: { range: '2.x' } };
const bad = { versions: { range: 'soon' } };

const read = (object: ReflectedObject, known?: StoredPolicy): StoredPolicy => readStoredPolicy(object, known, parse);
const rangeOf = ({ accepted }: StoredPolicy): string | undefined => accepted?.policy.versions.range;
const statusOf = (stored: StoredPolicy, matchedReleases?: number, all = [stored]): PolicyStatus =>
  toPolicyStatus(stored, { all, matchedReleases, nowMs });
const readyOf = (status: PolicyStatus): Condition => {
  const [ready] = status.conditions;
  assert.equal(status.conditions.length, 1);
  assert.ok(ready);
  return ready;
};

describe('which version of a policy is in force', () => {
  test('the newest that can be read', () => {
    assert.equal(rangeOf(read(policy(2, better), read(policy(1, good)))), '2.x');
  });

  test('the one before, when the newest cannot be read', () => {
    const stored = read(policy(3, bad), read(policy(2, good)));
    assert.equal(rangeOf(stored), '1.x');
    assert.equal(stored.accepted?.generation, 2);
    assert.deepEqual(
      stored.problems.map(({ field }) => field),
      ['spec.versions.range'],
    );
  });

  test('none, when the first one cannot be read', () => {
    assert.equal(read(policy(1, bad)).accepted, undefined);
  });

  test('the version in the status, when the broken version was stored while Belay was away', () => {
    const { accepted } = statusOf(read(policy(4, good)));
    const stored = read(policy(5, bad, { status: { accepted } }));
    assert.equal(stored.accepted?.generation, 4);
    assert.equal(rangeOf(stored), '1.x');
  });

  test('the one that an older Belay accepted, with its range as it is, when that range cannot be read any more', () => {
    const spec = { ...bad, freeze: { reason: 'moving' } };
    const stored = read(policy(4, spec, { status: { accepted: { generation: 4, spec } } }));
    assert.equal(stored.accepted?.policy.freeze.reason, 'moving');
    assert.equal(rangeOf(stored), 'soon');
    assert.equal(stored.problems.length, 1);
    assert.deepEqual(read(policy(4, spec), stored).problems, stored.problems);
  });

  test('none, when more than the range cannot be read of a version that an older Belay accepted', () => {
    const spec = { ...bad, freeze: { reason: 1 } };
    assert.equal(read(policy(4, spec, { status: { accepted: { generation: 4, spec } } })).accepted, undefined);
  });

  test('the newer one of two versions: this replica has seen one, and another replica has written the other', () => {
    const seen = read(policy(2, good));
    assert.equal(rangeOf(read(policy(4, bad, { status: { accepted: { generation: 3, spec: better } } }), seen)), '2.x');
    assert.equal(rangeOf(read(policy(4, bad, { status: { accepted: { generation: 1, spec: better } } }), seen)), '1.x');
  });

  test('none of another policy that had the same name', () => {
    assert.equal(read(policy(1, bad, { uid: 'uid-2' }), read(policy(7, good))).accepted, undefined);
  });

  for (const [what, accepted] of Object.entries({
    'that cannot be read either': { generation: 1, spec: bad },
    'of a generation to come': { generation: 9, spec: good },
    'without a generation': { spec: good },
    'that is no object': 'x',
  })) {
    test(`none, when the status tells of one ${what}`, () => {
      assert.equal(read(policy(2, bad, { status: { accepted } })).accepted, undefined);
    });
  }

  test('a policy stays the same value while only its status is written', () => {
    const before = read(policy(1, good));
    const after = read(policy(1, { ...good }, { status: statusOf(before) }), before);
    assert.equal(after.accepted?.policy, before.accepted?.policy);
  });
});

describe('the status of a policy', () => {
  test('of one that is in force', () => {
    assert.deepEqual(statusOf(read(policy(3, good)), 12), {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          observedGeneration: 3,
          lastTransitionTime: '2026-01-31T12:00:00Z',
          reason: 'Accepted',
          message: 'In force on the releases that it matches and no policy of a higher priority does.',
        },
      ],
      observedGeneration: 3,
      matchedReleases: 12,
      accepted: { generation: 3, spec: good },
    });
  });

  test('of one that is ignored names every field, and which version is in force', () => {
    const worse = { ...bad, freeze: { windows: [{ schedule: '61 * * * *', duration: '1h', reason: 'x' }] } };
    const ignored = readyOf(statusOf(read(policy(1, worse))));
    assert.deepEqual([ignored.status, ignored.reason], ['False', 'Invalid']);
    assert.match(
      ignored.message,
      /spec\.versions\.range: .*; spec\.freeze\.windows\[0\]\.schedule: .* This policy is ignored\.$/,
    );
    const older = readyOf(statusOf(read(policy(3, worse), read(policy(2, good)))));
    assert.match(older.message, /This version is ignored: generation 2 stays in force\.$/);
    assert.equal(older.observedGeneration, 3);
  });

  test('says with whom it shares its priority, and who comes first', () => {
    const all = ['b', 'a', 'c'].map((name) => read(policy(1, good, { name, uid: name })));
    const lower = read(policy(1, { priority: -1 }, { name: 'd', uid: 'd' }));
    const [b, a] = all.map((stored) => readyOf(statusOf(stored, 0, [...all, lower])).message);
    assert.match(a ?? '', /Of the same priority: b, c; .*the first by name is in force, here this one\.$/);
    assert.match(b ?? '', /Of the same priority: a, c; .*the first by name is in force\.$/);
    assert.doesNotMatch(readyOf(statusOf(lower, 0, [...all, lower])).message, /same priority/);
  });

  test('is the same when nothing has changed, from any replica and at any time', () => {
    const before = statusOf(read(policy(1, good)), 5);
    const stored = read(policy(1, good, { status: before }));
    const later = { all: [stored], nowMs: nowMs + 3_600_000 };
    assert.deepEqual(toPolicyStatus(stored, { ...later, matchedReleases: 5 }), before);
    assert.deepEqual(toPolicyStatus(stored, { ...later, matchedReleases: undefined }), before);
  });

  test('keeps the time while it stays ready, and the conditions of others', () => {
    const others = {
      type: 'Reviewed',
      status: 'True',
      reason: 'ByAnn',
      message: '',
      lastTransitionTime: 'then',
    } as const;
    const first = statusOf(read(policy(1, good)));
    const stored = read(policy(2, better, { status: { ...first, conditions: [others, ...first.conditions] } }));
    const { conditions } = toPolicyStatus(stored, { all: [stored], matchedReleases: 1, nowMs: nowMs + 1000 });
    assert.deepEqual(conditions[0], others);
    assert.equal(conditions[1]?.lastTransitionTime, '2026-01-31T12:00:00Z');
    assert.equal(conditions[1]?.observedGeneration, 2);
  });
});
