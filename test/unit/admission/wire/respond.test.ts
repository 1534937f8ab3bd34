import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdmissionAnswer } from '../../../../src/admission/wire/answer.ts';
import { toAdmissionResponse, toAdmissionText } from '../../../../src/admission/wire/respond.ts';
import type { Denial } from '../../../../src/rules/verdict.ts';

interface Response {
  readonly uid: string;
  readonly allowed: boolean;
  readonly warnings?: string[];
  readonly auditAnnotations?: Record<string, string>;
  readonly patch?: string;
  readonly patchType?: string;
  readonly status?: { code: number; reason: string; status: string; message: string; details: { causes: object[] } };
}

const respond = (answer: AdmissionAnswer): Response => {
  const review = toAdmissionResponse('uid-1', answer, 0) as { apiVersion: string; kind: string; response: Response };
  assert.equal(review.apiVersion, 'admission.k8s.io/v1');
  assert.equal(review.kind, 'AdmissionReview');
  return review.response;
};

test('an allowed review is answered with no more than that', () => {
  assert.deepEqual(respond({ allowed: true, why: 'unchanged' }), { uid: 'uid-1', allowed: true });
  assert.deepEqual(respond({ allowed: true, why: 'x', warnings: [], patch: [] }), { uid: 'uid-1', allowed: true });
});

test('a denial is a 403 with its code for programs, so that Helm neither retries nor hides the message', () => {
  const { allowed, status } = respond({ allowed: false, denial: { code: 'BelayUnavailable', problem: 'no answer' } });
  assert.equal(allowed, false);
  assert.equal(status?.code, 403);
  assert.equal(status?.reason, 'Forbidden');
  assert.equal(status?.status, 'Failure');
  assert.match(status?.message ?? '', /no answer \[BelayUnavailable\]/);
  assert.deepEqual(status?.details.causes, [
    { reason: 'BelayUnavailable', message: 'refused: Belay could not read what it needs to decide: no answer' },
  ]);
});

test('a patch is base64 of a JSON Patch', () => {
  const patch = [{ op: 'add', path: '/metadata/annotations/belay.dev~1freeze', value: 'grüße' }] as const;
  const response = respond({ allowed: true, why: 'carried', patch });
  assert.equal(response.patchType, 'JSONPatch');
  assert.deepEqual(JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString()), patch);
});

test('a warning is one line, and there are no more of them than the API server passes on', () => {
  const { warnings = [] } = respond({
    allowed: true,
    why: 'x',
    warnings: ['a\nb\u001b[2K', 'x'.repeat(1000), ...Array.from({ length: 50 }, () => 'more')],
  });
  assert.equal(warnings[0], 'a\\nb\\u001b[2K');
  assert.equal(warnings[1]?.length, 256);
  assert.equal(warnings.length, 16);
});

test('audit annotations have keys that the API server accepts', () => {
  const { auditAnnotations = {} } = respond({
    allowed: true,
    why: 'x',
    audit: { drift: 'a\nb', 'belay.dev/un checked': 'y', '---': 'z', ['k'.repeat(100)]: 'v' },
  });
  for (const key of Object.keys(auditAnnotations)) assert.match(key, /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
  assert.equal(auditAnnotations.drift, 'a\\nb');
  assert.equal(auditAnnotations['belay.dev-un-checked'], 'y');
  assert.equal(auditAnnotations.note, 'z');
});

test('an uninstall that is refused explains itself by warnings too, because Helm swallows the message', () => {
  const freeze = {
    source: { kind: 'Namespace', namespace: '', name: 'shop' },
    reason: 'weekend',
    by: undefined,
    untilMs: undefined,
  } as const;
  const release = { namespace: 'shop', name: 'web' };
  const { warnings = [], status } = respond({
    allowed: false,
    denial: { code: 'BelayFrozen', release, attempt: 'uninstall', freezes: [freeze] },
  });
  assert.deepEqual(warnings, status?.message.split('\n'));
});

test('a delete of an object that is refused says so by a warning too, in one line', () => {
  const release = { namespace: 'shop', name: 'web' };
  const object = { group: '', kind: 'Service', namespace: 'shop', name: 'web' };
  const denials: readonly Denial[] = [
    { code: 'BelayFrozen', release, attempt: 'delete', freezes: [], object },
    {
      code: 'BelayDrift',
      release,
      attempt: 'delete',
      object,
      governing: { revision: 1, chart: 'shop-1.4.0' },
      recordKind: 'Secret',
      changes: [],
    },
  ];
  for (const denial of denials) {
    const { warnings = [], status } = respond({ allowed: false, denial });
    assert.deepEqual(warnings, status?.message.split('\n').slice(0, 1));
  }
  const changed = { code: 'BelayFrozen', release, attempt: 'change', freezes: [], object } as const;
  assert.equal(respond({ allowed: false, denial: changed }).warnings, undefined);
});

test('a write that the client would not speak of is told by warnings too', () => {
  const release = { namespace: 'shop', name: 'web' };
  const record = { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v1' } as const;
  const denial = { code: 'BelayRecordProtected', release, record, problem: 'x', remedy: 'y' } as const;
  assert.equal(respond({ allowed: false, denial }).warnings, undefined);
  const { warnings, status } = respond({ allowed: false, denial: { ...denial, isSwallowed: true } });
  assert.deepEqual(warnings, status?.message.split('\n'));
});

const FROZEN_BY_POLICY = {
  code: 'BelayFrozen',
  release: { namespace: 'shop', name: 'web' },
  attempt: 'upgrade',
  freezes: [
    {
      source: { kind: 'ReleasePolicy', namespace: '', name: 'weekend' },
      reason: 'weekend',
      by: undefined,
      untilMs: 3_600_000,
    },
  ],
} as const;

test('a refusal of a policy that only warns has the same words as the denial', () => {
  const { status } = respond({ allowed: false, denial: FROZEN_BY_POLICY });
  const warned = respond({ allowed: true, why: 'start', waived: [{ action: 'Warn', denial: FROZEN_BY_POLICY }] });
  assert.equal(warned.allowed, true);
  assert.deepEqual(warned.warnings, status?.message.split('\n'));
  assert.match(warned.auditAnnotations?.['would-refuse'] ?? '', /it is frozen: "weekend" \[BelayFrozen\]; frozen by/);
});

test('a refusal of a policy that only audits is told to the audit log and to nobody else', () => {
  const audited = respond({
    allowed: true,
    why: 'start',
    audit: { other: 'a' },
    waived: [{ action: 'Audit', denial: FROZEN_BY_POLICY }],
  });
  assert.equal(audited.warnings, undefined);
  assert.equal(audited.auditAnnotations?.other, 'a');
  assert.match(audited.auditAnnotations?.['would-refuse'] ?? '', /BelayFrozen/);
});

const told: Record<string, AdmissionAnswer> = {
  'no more than that it is allowed': { allowed: true, why: 'unchanged' },
  warnings: { allowed: true, why: 'x', warnings: ['w'] },
  'an audit note': { allowed: true, why: 'x', audit: { a: 'b' } },
  'a patch': { allowed: true, why: 'x', patch: [{ op: 'remove', path: '/a' }] },
  'what a policy has waived': {
    allowed: true,
    why: 'x',
    waived: [{ action: 'Warn', denial: { code: 'BelayUnavailable', problem: 'no answer' } }],
  },
  'a denial': { allowed: false, denial: { code: 'BelayUnavailable', problem: 'no answer' } },
};
for (const [what, answer] of Object.entries(told)) {
  test(`the text of an answer says the same as the answer: ${what}`, () => {
    const uid = 'a"\\\n\u2028';
    assert.deepEqual(JSON.parse(toAdmissionText(uid, answer, 0)), toAdmissionResponse(uid, answer, 0));
  });
}
