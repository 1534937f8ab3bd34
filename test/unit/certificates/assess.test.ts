import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Assessment, assess, type StoredCertificates, splitBundle } from '../../../src/certificates/assess.ts';
import {
  type IssuedCertificates,
  issueCertificates,
  issueLeaf,
  serviceDnsNames,
} from '../../../src/certificates/issue.ts';

const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 365 * DAY_MS;
const now = Date.now();
const dnsNames = serviceDnsNames('belay', 'belay-system');

describe('stored certificates', () => {
  let ours: IssuedCertificates;
  let other: IssuedCertificates;
  let otherName: IssuedCertificates;

  before(async () => {
    [ours, other] = await Promise.all([issueCertificates({ now, dnsNames }), issueCertificates({ now, dnsNames })]);
    const leaf = await issueLeaf({ cert: ours.ca, key: ours.caKey }, { now, dnsNames: ['belay.elsewhere.svc'] });
    otherName = { ...ours, ...leaf };
  });

  const without = (name: keyof StoredCertificates): StoredCertificates => ({ ...ours, [name]: undefined });

  const cases: readonly {
    what: string;
    stored: () => StoredCertificates;
    at?: number;
    expected: Assessment['state'];
    why?: RegExp;
  }[] = [
    { what: 'just issued', stored: () => ours, expected: 'good' },
    {
      what: 'with an older authority behind ours',
      stored: () => ({ ...ours, ca: ours.ca + other.ca }),
      expected: 'good',
    },
    {
      what: 'with an older authority before ours',
      stored: () => ({ ...ours, ca: other.ca + ours.ca }),
      expected: 'replace',
    },
    { what: 'after 240 days', stored: () => ours, at: now + 240 * DAY_MS, expected: 'good' },
    { what: 'after 250 days', stored: () => ours, at: now + 250 * DAY_MS, expected: 'renew', why: /about to expire/ },
    {
      what: 'after a year',
      stored: () => ours,
      at: now + 366 * DAY_MS,
      expected: 'renew',
      why: /not valid at this time/,
    },
    {
      what: 'after 9 years',
      stored: () => ours,
      at: now + 9 * YEAR_MS,
      expected: 'replace',
      why: /authority is about/,
    },
    {
      what: 'after 11 years',
      stored: () => ours,
      at: now + 11 * YEAR_MS,
      expected: 'replace',
      why: /authority is not/,
    },
    {
      what: 'from the future',
      stored: () => ours,
      at: now - DAY_MS,
      expected: 'replace',
      why: /not valid at this time/,
    },
    { what: 'without ca.crt', stored: () => without('ca'), expected: 'replace', why: /ca\.crt is missing/ },
    { what: 'without tls.crt', stored: () => without('cert'), expected: 'renew', why: /tls\.crt is missing/ },
    { what: 'without tls.key', stored: () => without('key'), expected: 'renew', why: /tls\.key is missing/ },
    { what: 'with garbage for tls.key', stored: () => ({ ...ours, key: 'x' }), expected: 'renew', why: /tls\.key/ },
    { what: "with another's tls.key", stored: () => ({ ...ours, key: other.key }), expected: 'renew', why: /tls\.key/ },
    { what: 'with garbage for tls.crt', stored: () => ({ ...ours, cert: 'x' }), expected: 'renew', why: /tls\.crt/ },
    { what: 'with garbage for ca.crt', stored: () => ({ ...ours, ca: 'x' }), expected: 'replace', why: /ca\.crt/ },
    { what: "with another's ca.crt", stored: () => ({ ...ours, ca: other.ca }), expected: 'replace', why: /ca\.key/ },
    {
      what: "with another's ca.key",
      stored: () => ({ ...ours, caKey: other.caKey }),
      expected: 'replace',
      why: /ca\.key/,
    },
    {
      what: 'with a serving certificate of another authority',
      stored: () => ({ ...other, ca: ours.ca, caKey: ours.caKey }),
      expected: 'renew',
      why: /not signed by/,
    },
    {
      what: 'for another name',
      stored: () => otherName,
      expected: 'renew',
      why: /not valid for belay\.belay-system\.svc/,
    },
    { what: 'of somebody else (no ca.key), working', stored: () => without('caKey'), expected: 'good' },
    {
      what: 'of somebody else, soon to expire: they will renew it',
      stored: () => without('caKey'),
      at: now + 364 * DAY_MS,
      expected: 'good',
    },
    {
      what: 'of somebody else, expired',
      stored: () => without('caKey'),
      at: now + 366 * DAY_MS,
      expected: 'replace',
      why: /not valid at this time/,
    },
    {
      what: 'of nobody',
      stored: () => ({ ca: undefined, cert: undefined, key: undefined, caKey: undefined }),
      expected: 'replace',
    },
  ];

  for (const { what, stored, at, expected, why } of cases) {
    test(`${what}: ${expected}`, () => {
      const verdict = assess(stored(), at ?? now, dnsNames);
      assert.equal(verdict.state, expected);
      const words = verdict.state === 'good' ? '' : verdict.why;
      if (why !== undefined) assert.match(words, why);
      assert.doesNotMatch(words, /PRIVATE KEY|[A-Za-z0-9+/]{40}/);
    });
  }

  test('a bundle is split into its certificates, whatever stands between them', () => {
    assert.equal(splitBundle(`# old\n${ours.ca}\n# new\n${other.ca}`).length, 2);
    assert.deepEqual(splitBundle('nothing'), []);
  });
});
