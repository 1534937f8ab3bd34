import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { type IssuedCertificates, issueCertificates, serviceDnsNames } from '../../../../src/certificates/issue.ts';
import { judgeBundles, judgeServed, type Served } from '../../../../src/cli/doctor/check-trust.ts';

const DAY_MS = 86_400_000;
const madeMs = Date.parse('2026-01-01T00:00:00Z');
const dnsNames = serviceDnsNames('belay', 'belay-system');
const secret = { namespace: 'belay-system', name: 'belay-certificates' };

let ours: IssuedCertificates;
let theirs: IssuedCertificates;
before(async () => {
  [ours, theirs] = await Promise.all([
    issueCertificates({ now: madeMs, dnsNames }),
    issueCertificates({ now: madeMs, dnsNames: ['elsewhere'] }),
  ]);
});

const served = ({ cert }: IssuedCertificates, { ca }: IssuedCertificates): Served => ({
  chain: [new X509Certificate(cert)],
  authorities: [new X509Certificate(ca)],
});
const judge = (what: Served, days: number): string => {
  const { state, says } = judgeServed(what, dnsNames[0] ?? '', secret, madeMs + days * DAY_MS);
  return `${state}: ${says}`;
};

describe('a serving certificate', () => {
  test('is good until its renewal is late, and broken when it has expired', () => {
    const own = served(ours, ours);
    assert.equal(judge(own, 1), 'ok: valid for belay.belay-system.svc for 364 days more, its authority for 3651 days');
    assert.match(judge(own, 300), /^warn: .* for 65 days more, .*: it should have been renewed before$/);
    assert.equal(judge(own, 375), 'fail: the serving certificate has expired 10 days ago');
    assert.equal(judge(own, -1), 'fail: the serving certificate is not valid yet');
  });

  test('has to fit the name that is called and the authority beside it', () => {
    assert.match(judge(served(theirs, theirs), 1), /^fail: .* not valid for belay\.belay-system\.svc, by which/);
    assert.match(judge(served(ours, theirs), 1), /^fail: .* not signed by the authority beside it$/);
  });

  test('may have a Secret without an authority', () => {
    const { chain } = served(ours, ours);
    assert.equal(judge({ chain, authorities: undefined }, 1), 'ok: valid for belay.belay-system.svc for 364 days more');
  });
});

describe('a caBundle', () => {
  const bundles = (caBundle: string | undefined, own: Served | undefined, days = 1): string => {
    const text = caBundle && Buffer.from(caBundle).toString('base64');
    const clientConfig = text === undefined ? {} : { caBundle: text };
    const { state, says, details = [] } = judgeBundles([{ name: 'a', clientConfig }], own, madeMs + days * DAY_MS);
    return [`${state}: ${says}`, ...details].join('\n');
  };

  test('has to be present, readable, valid and of the signing authority', () => {
    const own = served(ours, ours);
    assert.equal(bundles(ours.ca, own), 'ok: all 1 webhooks trust what Belay serves');
    assert.match(bundles(undefined, own), /^fail: .*\na has none$/);
    assert.match(bundles('nonsense', own), /^fail: .*\na: it cannot be read$/);
    assert.match(bundles(theirs.ca, own), /^fail: .*\na: it is another authority's than/);
    assert.match(bundles(ours.ca, own, 4000), /^fail: .*\na: it has expired$/);
  });

  test('may be absent with --ca-bundle=leave, and the API server uses the authorities of its machine', () => {
    const { state } = judgeBundles([{ name: 'a', clientConfig: {} }], served(ours, ours), madeMs, false);
    assert.equal(state, 'ok');
  });

  test('may contain two authorities while one replaces the other', () => {
    assert.match(
      bundles(`${theirs.ca}${ours.ca}`, served(ours, ours)),
      /^warn: .*\na: it is not yet what the Secret says$/,
    );
  });

  test('is judged without the Secret as far as possible', () => {
    assert.match(bundles(theirs.ca, undefined), /^ok: all 1 webhooks have one; what Belay serves may not be read$/);
  });
});
