import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventsOf } from '../../../src/admission/event-of.ts';
import type { RecognisedReview } from '../../../src/admission/recognised-review.ts';
import type { AdmissionAnswer, ReviewKind } from '../../../src/admission/wire/answer.ts';
import type { Operation, Review } from '../../../src/admission/wire/review.ts';
import type { EventToNote, Regarding } from '../../../src/events/event-object.ts';
import { EVENT_REASONS, REASON_OF_DENIAL } from '../../../src/events/event-reasons.ts';
import { parseRecordName, type ReleaseRecord } from '../../../src/helm/record.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Denial, InFlight } from '../../../src/rules/verdict.ts';
import { NOW_MS, RELEASE, record } from '../rules/releases.ts';

interface Ask {
  readonly operation?: Operation;
  readonly group?: string;
  readonly kind?: string;
  /** By default the resource of the kind. */
  readonly resource?: { readonly group: string; readonly resource: string };
  readonly subResource?: string;
  readonly namespace?: string;
  readonly name: string;
  /** The uid of the stored object; undefined where the object is not stored. */
  readonly uid?: string;
  readonly dryRun?: boolean;
}

const review = (ask: Ask): Review => {
  const { operation = 'UPDATE', group = '', kind = 'Secret', namespace = 'shop', name, uid } = ask;
  const stored: KubernetesObject | undefined = uid === undefined ? undefined : { metadata: { name, namespace, uid } };
  return {
    uid: 'r',
    operation,
    kind: { group, version: 'v1', kind },
    resource: { group, resource: `${kind.toLowerCase()}s`, ...ask.resource, version: 'v1' },
    subResource: ask.subResource ?? '',
    namespace,
    name,
    user: { username: 'ci', groups: [] },
    dryRun: ask.dryRun ?? false,
    object: operation === 'DELETE' ? undefined : { metadata: { name, namespace, uid: uid ?? 'uid-to-be' } },
    oldObject: stored,
  };
};

const RECORDS: readonly ReleaseRecord[] = [record(2, 'deployed'), record(3, 'failed'), record(1, 'superseded')];
const context = {
  nowMs: NOW_MS,
  recordsOf: ({ namespace, name }: { namespace: string; name: string }) =>
    namespace === 'shop' && name === 'web' ? RECORDS : [],
};

const secret = (revision: number, uid: string | undefined = `uid-${revision}`): Regarding => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: 'shop',
  name: `sh.helm.release.v1.web.v${revision}`,
  ...(uid === '' ? {} : { uid }),
});

const NEXT: Ask = { operation: 'CREATE', name: 'sh.helm.release.v1.web.v4' };
const NEWEST: Ask = { name: 'sh.helm.release.v1.web.v3', uid: 'uid-3' };
const DEPLOYMENT: Ask = { group: 'apps', kind: 'Deployment', name: 'web', uid: 'uid-web' };
const SCALE: Ask = {
  ...DEPLOYMENT,
  group: 'autoscaling',
  kind: 'Scale',
  resource: { group: 'apps', resource: 'deployments' },
  subResource: 'scale',
};
const deployment: Regarding = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
  uid: 'uid-web',
};

const object = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const inFlight: InFlight = {
  operation: 'upgrade',
  revision: 2,
  holder: 'alice',
  sinceMs: NOW_MS,
  staleAtMs: NOW_MS + 1,
  record: { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v2' },
};
const freeze = {
  source: { kind: 'Namespace', namespace: '', name: 'shop' },
  reason: 'sale',
  by: 'sre',
  untilMs: undefined,
} as const;
const frozen = (attempt: 'upgrade' | 'change' | 'namespace delete'): Denial => ({
  code: 'BelayFrozen',
  release: RELEASE,
  attempt,
  freezes: [freeze],
  ...(attempt === 'change' && { object }),
});
const drift = (attempt: 'change' | 'scale'): Denial => ({
  code: 'BelayDrift',
  release: RELEASE,
  attempt,
  object,
  governing: { revision: 2, chart: 'shop-1.0.0' },
  recordKind: 'Secret',
  changes: [],
});
const chart = { name: 'shop', version: '1.0.0' };

interface Case {
  readonly ask: Ask;
  readonly kind?: ReviewKind;
  readonly denial: Denial;
  readonly expect: Pick<EventToNote, 'reason' | 'regarding'> & Partial<EventToNote>;
}

const refusals: Record<string, Case> = {
  'an upgrade while another operation is in flight: on the record of that one': {
    ask: NEXT,
    denial: { code: 'BelayOperationInFlight', release: RELEASE, attempt: 'upgrade', inFlight },
    expect: {
      reason: 'OperationRefused',
      action: 'Upgrade',
      regarding: [secret(2)],
      message:
        'upgrade of release web in namespace shop refused: upgrade to revision 2 by alice is in flight (tried by ci)',
    },
  },
  'an upgrade when the other operation has not stored its record yet: on the newest': {
    ask: NEXT,
    denial: {
      code: 'BelayOperationInFlight',
      release: RELEASE,
      attempt: 'upgrade',
      inFlight: { ...inFlight, record: undefined },
    },
    expect: { reason: 'OperationRefused', regarding: [secret(3)] },
  },
  'an upgrade of a frozen release: on the newest record, not on the one that is never stored': {
    ask: NEXT,
    denial: frozen('upgrade'),
    expect: { reason: 'FrozenWriteRefused', action: 'Upgrade', regarding: [secret(3)] },
  },
  'an install in a frozen namespace: on what would have been its record': {
    ask: { operation: 'CREATE', name: 'sh.helm.release.v1.api.v1' },
    denial: { code: 'BelayFrozen', release: { namespace: 'shop', name: 'api' }, attempt: 'install', freezes: [freeze] },
    expect: {
      reason: 'FrozenWriteRefused',
      regarding: [{ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.api.v1' }],
    },
  },
  'a change of what is frozen: on the record and on the object': {
    ask: DEPLOYMENT,
    kind: 'object',
    denial: frozen('change'),
    expect: { reason: 'FrozenWriteRefused', action: 'Change', regarding: [secret(3), deployment] },
  },
  'a change by hand: on the governing record and on the object': {
    ask: DEPLOYMENT,
    kind: 'object',
    denial: drift('change'),
    expect: {
      reason: 'DriftRefused',
      action: 'Change',
      regarding: [secret(2), deployment],
      message:
        'change of Deployment web in namespace shop refused: Helm release web in namespace shop manages it (tried by ci)',
    },
  },
  'a change whose record is not known here: on the record by its name': {
    ask: DEPLOYMENT,
    kind: 'object',
    denial: { ...drift('change'), release: { namespace: 'shop', name: 'api' } } as Denial,
    expect: {
      reason: 'DriftRefused',
      regarding: [{ ...secret(2, ''), name: 'sh.helm.release.v1.api.v2' }, deployment],
    },
  },
  'a scale: on the record and on what is scaled': {
    ask: SCALE,
    kind: 'scale',
    denial: drift('scale'),
    expect: { reason: 'DriftRefused', action: 'Scale', regarding: [secret(2), deployment] },
  },
  'a deletion of many, without a name: on the object of which it was asked': {
    ask: { ...DEPLOYMENT, operation: 'DELETE' },
    kind: 'object',
    denial: { ...drift('change'), attempt: 'delete' } as Denial,
    expect: { reason: 'DriftRefused', action: 'Delete', regarding: [secret(2), deployment] },
  },
  'another creation of what was deleted: without a uid, for it will never be there': {
    ask: { operation: 'CREATE', group: 'apps', kind: 'Deployment', name: 'web' },
    kind: 'object',
    denial: { ...drift('change'), attempt: 'create' } as Denial,
    expect: {
      reason: 'DriftRefused',
      regarding: [secret(2), { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }],
    },
  },
  'a version outside a pin': {
    ask: NEXT,
    denial: {
      code: 'BelayPinned',
      release: RELEASE,
      attempt: 'upgrade',
      chart,
      deployed: undefined,
      problem: 'version',
      pins: [],
    },
    expect: { reason: 'PinnedVersionRefused', regarding: [secret(3)] },
  },
  'a downgrade': {
    ask: NEXT,
    denial: { code: 'BelayDowngrade', release: RELEASE, attempt: 'rollback', chart, deployed: chart, sources: [] },
    expect: { reason: 'DowngradeRefused', action: 'Rollback', regarding: [secret(3)] },
  },
  'a writer that was overtaken: on the newest record': {
    ask: { name: 'sh.helm.release.v1.web.v2', uid: 'uid-2' },
    denial: { code: 'BelayFenced', release: RELEASE, revision: 2, overtakenBy: 3, holder: 'alice' },
    expect: { reason: 'StaleWriterFenced', action: 'Update', regarding: [secret(3)] },
  },
  'a forged edit of a record: on that one': {
    ask: { name: 'sh.helm.release.v1.web.v1', uid: 'uid-1' },
    denial: {
      code: 'BelayRecordProtected',
      release: RELEASE,
      record: { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v1' },
      problem: 'x',
      remedy: 'y',
    },
    expect: { reason: 'RecordWriteRefused', regarding: [secret(1)] },
  },
  'a forged record: on the newest that is there': {
    ask: { operation: 'CREATE', name: 'sh.helm.release.v1.web.v99' },
    denial: {
      code: 'BelayRecordProtected',
      release: RELEASE,
      record: { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v99' },
      problem: 'x',
      remedy: 'y',
    },
    expect: { reason: 'RecordWriteRefused', regarding: [secret(3)] },
  },
  'a bad lock on a record': {
    ask: NEWEST,
    denial: {
      code: 'BelayBadLock',
      source: { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v3' },
      annotation: 'belay.dev/freze',
      problem: 'is unknown',
      remedy: 'y',
    },
    expect: { reason: 'LockRefused', release: RELEASE, regarding: [secret(3)] },
  },
  'a bad lock on a Namespace: on the Namespace, which has no namespace': {
    ask: { kind: 'Namespace', name: 'shop', uid: 'uid-shop' },
    kind: 'namespace',
    denial: {
      code: 'BelayBadLock',
      source: { kind: 'Namespace', namespace: '', name: 'shop' },
      annotation: 'belay.dev/freze',
      problem: 'is unknown',
      remedy: 'y',
    },
    expect: {
      reason: 'LockRefused',
      release: { namespace: 'shop', name: '' },
      regarding: [{ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'shop', uid: 'uid-shop' }],
    },
  },
  'a lock by somebody who may not': {
    ask: NEWEST,
    denial: {
      code: 'BelayLockForbidden',
      release: RELEASE,
      source: { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v3' },
      user: 'ci',
      verb: 'unlock',
      annotations: ['belay.dev/freeze'],
    },
    expect: {
      reason: 'LockRefused',
      regarding: [secret(3)],
      message:
        'ci may not unlock release web in namespace shop: belay.dev/freeze on Secret sh.helm.release.v1.web.v3 in namespace shop refused',
    },
  },
  'the deletion of a namespace with something frozen in it': {
    ask: { operation: 'DELETE', kind: 'Namespace', name: 'shop', uid: 'uid-shop' },
    kind: 'namespace',
    denial: frozen('namespace delete'),
    expect: {
      reason: 'FrozenWriteRefused',
      action: 'NamespaceDelete',
      regarding: [secret(3), { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'shop', uid: 'uid-shop' }],
    },
  },
  'a write of the claim': {
    ask: { group: 'coordination.k8s.io', kind: 'Lease', name: 'belay.web', uid: 'uid-lease' },
    kind: 'claim',
    denial: { code: 'BelayClaimGuarded', lease: 'belay.web', namespace: 'shop', inFlight },
    expect: {
      reason: 'ClaimWriteRefused',
      release: RELEASE,
      regarding: [
        secret(2),
        {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          namespace: 'shop',
          name: 'belay.web',
          uid: 'uid-lease',
        },
      ],
    },
  },
};

const recognised = (asked: Review, reviewKind: ReviewKind): RecognisedReview => ({
  ...asked,
  reviewKind,
  aspects: reviewKind === 'record' ? [{ kind: 'record', recordName: parseRecordName(asked.name) }] : [],
});

describe('a refusal leaves an Event', () => {
  for (const [name, { ask, kind = 'record', denial, expect }] of Object.entries(refusals)) {
    test(name, () => {
      const events = eventsOf(recognised(review(ask), kind), { allowed: false, denial }, context);
      assert.equal(events.length, 1);
      const [event] = events;
      assert.deepEqual(event?.regarding, expect.regarding);
      assert.partialDeepStrictEqual(event, { type: 'Warning', ...expect });
    });
  }

  test('for every code that is about a release', () => {
    const covered = new Set(Object.values(refusals).map(({ denial }) => denial.code));
    for (const [code, reason] of Object.entries(REASON_OF_DENIAL)) {
      assert.equal(covered.has(code as Denial['code']), reason !== undefined, code);
    }
  });
});

describe('what passed leaves an Event', () => {
  const passed = (ask: Ask, kind: ReviewKind, answer: Omit<AdmissionAnswer & { allowed: true }, 'allowed' | 'why'>) =>
    eventsOf(recognised(review(ask), kind), { allowed: true, why: 'x', ...answer }, context);

  test('when a window is used: on the newest record and on the object', () => {
    const notes = [{ reason: 'OpenWindowUsed', text: 'change by ci' }] as const;
    assert.deepEqual(passed(DEPLOYMENT, 'object', { release: RELEASE, notes }), [
      {
        reason: 'OpenWindowUsed',
        type: 'Normal',
        message: 'change by ci',
        release: RELEASE,
        regarding: [secret(3), deployment],
        action: 'Update',
      },
    ]);
  });

  test('when a window is used to scale: on the scaled object, where that is known', () => {
    const notes = [{ reason: 'OpenWindowUsed', text: 'x' }] as const;
    const of = (ask: Ask) => passed(ask, 'scale', { release: RELEASE, notes })[0]?.regarding;
    assert.deepEqual(of(SCALE), [secret(3), deployment]);
    assert.deepEqual(of({ ...SCALE, resource: { group: 'example.com', resource: 'widgets' } }), [secret(3)]);
  });

  test('when an operation takes over: on its own record, and as a warning', () => {
    const notes = [{ reason: 'OperationTakenOver', text: 'x' }] as const;
    const [event] = passed({ ...NEXT }, 'record', { release: RELEASE, notes });
    assert.partialDeepStrictEqual(event, { type: 'Warning', action: 'Create', regarding: [secret(4, 'uid-to-be')] });
  });

  test('when somebody locks: on the newest record, even where another revision is written', () => {
    const notes = [{ reason: 'ReleaseLocked', text: 'x' }] as const;
    const ask = { name: 'sh.helm.release.v1.web.v1', uid: 'uid-1' };
    assert.deepEqual(passed(ask, 'record', { release: RELEASE, notes })[0]?.regarding, [secret(3)]);
  });

  for (const [action, reason, said] of [
    ['Warn', 'RefusalWarned', 'passed, because the policy only warns: change of Deployment web'],
    ['Audit', 'RefusalAudited', 'passed, because the policy only audits: change of Deployment web'],
  ] as const) {
    test(`when a rule whose action is ${action} refuses`, () => {
      const [event, ...more] = passed(DEPLOYMENT, 'object', { waived: [{ action, denial: drift('change') }] });
      assert.deepEqual(more, []);
      assert.partialDeepStrictEqual(event, {
        reason,
        type: 'Warning',
        action: 'Change',
        regarding: [secret(2), deployment],
      });
      assert.ok(event?.message.startsWith(said), event?.message);
    });
  }
});

describe('no Event', () => {
  const denied: AdmissionAnswer = { allowed: false, denial: drift('change') };
  const cases: Record<string, { ask?: Partial<Ask>; kind?: ReviewKind; answer?: AdmissionAnswer }> = {
    'for a rehearsal': { ask: { dryRun: true }, answer: denied },
    'for a rehearsal that passed': {
      ask: { dryRun: true },
      answer: { allowed: true, why: 'open', release: RELEASE, notes: [{ reason: 'OpenWindowUsed', text: 'x' }] },
    },
    'for what passed as ever': { answer: { allowed: true, why: 'holder' } },
    'for what could not be judged': {
      answer: { allowed: false, denial: { code: 'BelayUnavailable', problem: 'x' } },
    },
    'for what is none of ours': { kind: 'unknown', answer: denied },
  };
  for (const [name, { ask, kind = 'object', answer = denied }] of Object.entries(cases)) {
    test(name, () =>
      assert.deepEqual(eventsOf(recognised(review({ ...DEPLOYMENT, ...ask }), kind), answer, context), []),
    );
  }
});

test('an Event is one line of text, even with a hostile name of a user', () => {
  const asked = { ...review(DEPLOYMENT), user: { username: 'a\nb\u001b[2J', groups: [] } };
  const [event] = eventsOf(recognised(asked, 'object'), { allowed: false, denial: drift('change') }, context);
  assert.match(event?.message ?? '', /\(tried by "a\\nb\\u001b\[2J"\)$/);
});

test('each reason is another word, and has a sentence', () => {
  for (const [reason, sentence] of Object.entries(EVENT_REASONS)) {
    assert.match(reason, /^([A-Z][a-z]+)+$/);
    assert.match(sentence, /^[A-Z].*\.$/);
  }
});
