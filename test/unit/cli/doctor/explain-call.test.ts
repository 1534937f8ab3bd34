import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explainFailedCall } from '../../../../src/cli/doctor/explain-call.ts';

const POST = 'failed to call webhook: Post "https://belay.belay-system.svc:8443/validate?timeout=10s": ';
const failed = (said: string): string => `Internal error occurred: failed calling webhook "records.belay.dev": ${said}`;

describe('what the API server says of a webhook that it could not call', () => {
  const cases: readonly [said: string, means: RegExp][] = [
    [`${POST}dial tcp 10.0.0.1:8443: connect: connection refused`, /nobody listens/],
    [`${POST}no endpoints available for service "belay"`, /no Pod of Belay is ready/],
    [`${POST}service "belay" not found`, /the Service that the webhook names is not there/],
    [`${POST}tls: failed to verify certificate: x509: certificate signed by unknown authority`, /another authority's/],
    [
      `${POST}tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time`,
      /expired/,
    ],
    [`${POST}tls: failed to verify certificate: x509: certificate is valid for a, not b`, /another name/],
    [`${POST}dial tcp: lookup belay on 10.96.0.10:53: no such host`, /cannot be resolved/],
    [`${POST}context deadline exceeded`, /no answer in time/],
    [`${POST}dial tcp 10.0.0.1:8443: i/o timeout`, /no answer in time/],
    [`${POST}dial tcp 10.0.0.1:8443: connect: no route to host`, /network/],
    [`${POST}EOF`, /broke off/],
    ['the server could not find the requested resource', /something else than Belay/],
    ['who knows', /could not be called/],
  ];
  for (const [said, means] of cases)
    test(said.replace(POST, ''), () => {
      const call = explainFailedCall(failed(said));
      assert.equal(call?.webhook, 'records.belay.dev');
      assert.equal(call.said, said.replace(POST, ''));
      assert.match(call.means, means);
    });
});

test('other errors are not about a call', () => {
  for (const message of [
    '',
    'secrets "x" already exists',
    'admission webhook "records.belay.dev" denied the request: no',
  ])
    assert.equal(explainFailedCall(message), undefined);
});

test('the message cannot control the terminal', () => {
  const call = explainFailedCall(failed('x\u001b[2J\nnext: rm -rf'));
  assert.equal(call?.said, 'x\\u001b[2J\\nnext: rm -rf');
});
