import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recognise } from '../../../src/admission/recognise.ts';
import type { RecognisedReview } from '../../../src/admission/recognised-review.ts';
import type { AdmissionAnswer } from '../../../src/admission/wire/answer.ts';
import type { Review } from '../../../src/admission/wire/review.ts';
import { rechecksOf } from '../../../src/drift/rechecks.ts';
import { allow, type Denial } from '../../../src/rules/verdict.ts';
import { live } from './objects.ts';

const release = { namespace: 'shop', name: 'web' };
const reviewBy = (username: string): RecognisedReview =>
  recognise({
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    subResource: '',
    dryRun: false,
    object: live('v1', 'ConfigMap', {}),
    oldObject: undefined,
    user: { username },
  } as unknown as Review);
const [review, byController] = [reviewBy('sre'), reviewBy('system:serviceaccount:shop:operator')];
const denial = { code: 'BelayDrift', release } as unknown as Denial;

const CASES: readonly (readonly [what: string, answer: AdmissionAnswer, isLookedAt: boolean])[] = [
  ['was only warned of', { allowed: true, why: 'no drift', waived: [{ action: 'Warn', denial }] }, true],
  [
    'was written while the release was open',
    { allowed: true, why: 'open', release, notes: [{ reason: 'OpenWindowUsed', text: '' }] },
    true,
  ],
  ['was written by somebody trusted', allow('trusted'), true],
  ['could not be judged in time', allow('deadline'), true],
  ['brought an object back', allow('restores the chart'), true],
  ['was no drift, and may have set something back', allow('no drift'), true],
  ['changed nothing', allow('unchanged'), false],
  ['was refused', { allowed: false, denial }, false],
];

describe('a release is looked at again when a write of its objects', () => {
  for (const [what, answer, isLookedAt] of CASES)
    test(`${what}: ${isLookedAt ? 'yes' : 'no'}`, () =>
      assert.deepEqual(rechecksOf(review, answer), isLookedAt ? [release] : []));

  test('was no drift, by a controller, as thousands of writes are: no', () =>
    assert.deepEqual(rechecksOf(byController, allow('no drift')), []));

  test('was a dry run: no', () => assert.deepEqual(rechecksOf({ ...review, dryRun: true }, allow('trusted')), []));
});
