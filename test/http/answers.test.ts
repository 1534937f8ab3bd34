import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import request from 'supertest';
import { type AdmitDependencies, admit } from '../../src/admission/admit.ts';
import { recognise } from '../../src/admission/recognise.ts';
import type { AdmissionAnswer } from '../../src/admission/wire/answer.ts';
import { admissionReview } from './admission-review.ts';
import { createTestApp } from './test-app.ts';

const answers: Record<string, { answer: AdmissionAnswer; response: object }> = {
  'allowed, with what kubectl prints and what the audit log keeps': {
    answer: { allowed: true, why: 'open', warnings: ['open until noon'], audit: { opened: 'maintenance' } },
    response: {
      uid: 'uid-1',
      allowed: true,
      warnings: ['open until noon'],
      auditAnnotations: { opened: 'maintenance' },
    },
  },
  'allowed, with a patch': {
    answer: { allowed: true, why: 'carried', patch: [{ op: 'remove', path: '/metadata/annotations/a' }] },
    response: {
      uid: 'uid-1',
      allowed: true,
      patchType: 'JSONPatch',
      patch: 'W3sib3AiOiJyZW1vdmUiLCJwYXRoIjoiL21ldGFkYXRhL2Fubm90YXRpb25zL2EifV0=',
    },
  },
  'denied, with the words for a person and the code for a program': {
    answer: {
      allowed: false,
      denial: {
        code: 'BelayFenced',
        release: { namespace: 'shop', name: 'web' },
        revision: 2,
        overtakenBy: 3,
        holder: 'bob',
      },
    },
    response: {
      uid: 'uid-1',
      allowed: false,
      status: {
        status: 'Failure',
        code: 403,
        reason: 'Forbidden',
        message: [
          'write of revision 2 of release web in namespace shop refused: revision 3 by bob has overtaken it [BelayFenced]',
          '  its operation was stale or broken, and another one took over: what it still writes counts no more',
          '  stop the old helm process, and see where the release stands:',
          '    helm history web -n shop',
        ].join('\n'),
        details: {
          causes: [
            {
              reason: 'BelayFenced',
              message:
                'write of revision 2 of release web in namespace shop refused: revision 3 by bob has overtaken it',
            },
          ],
        },
      },
    },
  },
};

describe('the answer to a review, whole', () => {
  for (const path of ['/validate', '/mutate']) {
    for (const [name, { answer, response }] of Object.entries(answers)) {
      test(`${path}: ${name}`, async () => {
        const judge = async () => answer;
        const { app } = createTestApp({ admit: judge, mutate: judge });
        const { body } = await request(app).post(path).send(admissionReview()).expect(200);
        assert.deepEqual(body, { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
      });
    }
  }
});

test('a write that Belay has no rule for is allowed without a request to the cluster', async () => {
  const cluster = new Proxy({} as AdmitDependencies, {
    get: (_target, property) => assert.fail(`looked for ${String(property)}`),
  });
  const { app, lines } = createTestApp({
    admit: (review, signal) => admit(cluster, review, signal),
    recognise,
  });
  const { body } = await request(app).post('/validate').send(admissionReview());
  assert.deepEqual(body.response, { uid: 'uid-1', allowed: true });
  assert.equal(lines[0]?.why, 'none of ours');
});
