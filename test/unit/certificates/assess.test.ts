import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Assessment, assess, type StoredCertificates } from '../../../src/certificates/assess.ts';
import { splitBundle } from '../../../src/certificates/bundle.ts';
import {
  type Authority,
  type IssuedCertificates,
  issueAuthority,
  issueCertificates,
  issueLeaf,
  type KeyPair,
  serviceDnsNames,
} from '../../../src/certificates/issue.ts';
import { DEFAULT_LIFETIMES, type Lifetimes, pausesOf } from '../../../src/certificates/lifetimes.ts';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';

const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 365 * DAY_MS;
const now = Date.now();
const dnsNames = serviceDnsNames('belay', 'belay-system');

describe('stored certificates', () => {
  let ours: IssuedCertificates;
  let other: IssuedCertificates;
  let otherName: IssuedCertificates;
  let lateLeaf: KeyPair;
  let lateAuthority: Authority;

  before(async () => {
    [ours, other] = await Promise.all([issueCertificates({ now, dnsNames }), issueCertificates({ now, dnsNames })]);
    const leaf = await issueLeaf({ cert: ours.ca, key: ours.caKey }, { now, dnsNames: ['belay.elsewhere.svc'] });
    otherName = { ...ours, ...leaf };
    const late = { now: now + 9 * YEAR_MS, dnsNames };
    [lateLeaf, lateAuthority] = await Promise.all([
      issueLeaf({ cert: ours.ca, key: ours.caKey }, late),
      issueAuthority(late),
    ]);
  });

  /** The next authority is in the Secret, and in the bundle behind the authority that signs. */
  const published = (next: Authority = { cert: other.ca, key: other.caKey }): StoredCertificates => ({
    ...ours,
    ca: ours.ca + next.cert,
    nextCa: next.cert,
    nextCaKey: next.key,
  });

  const { settleMs, reloadMs } = pausesOf(DEFAULT_LIFETIMES, DEFAULT_INTERVALS.certificates);

  const without = (name: keyof StoredCertificates): StoredCertificates => ({ ...ours, [name]: undefined });

  const cases: readonly {
    what: string;
    stored: () => StoredCertificates;
    at?: number;
    /** For how long every webhook has carried the next authority. */
    knownForMs?: number;
    /** For how long the bundle has been unchanged. */
    bundleForMs?: number;
    lifetimes?: Lifetimes;
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
    { what: 'after 250 days', stored: () => ours, at: now + 250 * DAY_MS, expected: 'renew', why: /two thirds/ },
    {
      what: 'after a year',
      stored: () => ours,
      at: now + 366 * DAY_MS,
      expected: 'renew',
      why: /not valid at this time/,
    },
    {
      what: 'after 9 years, with the serving certificate of the first',
      stored: () => ours,
      at: now + 9 * YEAR_MS,
      expected: 'renew',
      why: /not valid at this time/,
    },
    {
      what: 'after 9 years, with a serving certificate of that time',
      stored: () => ({ ...ours, ...lateLeaf }),
      at: now + 9 * YEAR_MS,
      expected: 'publish',
      why: /authority is about/,
    },
    {
      what: 'of a lifetime that was shortened since: the serving certificate',
      stored: () => ours,
      at: now + 61 * DAY_MS,
      lifetimes: { authorityMs: 3652 * DAY_MS, leafMs: 90 * DAY_MS },
      expected: 'renew',
      why: /two thirds/,
    },
    {
      what: 'of a lifetime that was shortened since: the authority',
      stored: () => ours,
      at: now + 61 * DAY_MS,
      lifetimes: { authorityMs: 90 * DAY_MS, leafMs: 365 * DAY_MS },
      expected: 'publish',
      why: /authority is about/,
    },
    {
      what: 'of which somebody wants a new authority',
      stored: () => ({ ...ours, rotate: true }),
      expected: 'publish',
      why: /somebody asked/,
    },
    {
      what: 'with a next authority that not every webhook carries',
      stored: () => published(),
      knownForMs: 0,
      expected: 'good',
    },
    {
      what: 'with a next authority that every webhook has carried for almost long enough',
      stored: () => published(),
      knownForMs: settleMs - 1,
      expected: 'good',
    },
    {
      what: 'with a next authority that every webhook has carried for long enough',
      stored: () => published(),
      knownForMs: settleMs,
      expected: 'switch',
      why: /every webhook trusts/,
    },
    {
      what: 'with a next authority and a serving certificate that is due: renewed first, by the present one',
      stored: () => published(),
      at: now + 250 * DAY_MS,
      knownForMs: settleMs,
      expected: 'renew',
    },
    {
      what: 'with a next authority that somebody took out of ca.crt',
      stored: () => ({ ...published(), ca: ours.ca }),
      knownForMs: settleMs,
      expected: 'publish',
      why: /not in ca\.crt/,
    },
    {
      what: 'with a next authority without its key',
      stored: () => ({ ...published(), nextCaKey: undefined }),
      knownForMs: settleMs,
      expected: 'publish',
      why: /next authority cannot be used/,
    },
    {
      what: 'with garbage for the next authority',
      stored: () => ({ ...published(), nextCa: 'x' }),
      knownForMs: settleMs,
      expected: 'publish',
      why: /next authority cannot be used/,
    },
    {
      what: 'expired in the middle of a rotation: the next authority signs at once',
      stored: () => published(lateAuthority),
      at: now + 11 * YEAR_MS,
      knownForMs: 0,
      expected: 'switch',
      why: /authority is not/,
    },
    {
      what: 'with garbage for ca.crt in the middle of a rotation: the next authority signs at once',
      stored: () => ({ ...published(), ca: 'x' }),
      knownForMs: 0,
      expected: 'switch',
      why: /ca\.crt is missing/,
    },
    {
      what: 'without ca.key in the middle of a rotation, working: goes on as it was',
      stored: () => ({ ...published(), caKey: undefined }),
      knownForMs: 0,
      expected: 'good',
    },
    {
      what: 'with the authority before still in the bundle, for almost long enough',
      stored: () => ({ ...ours, ca: ours.ca + other.ca }),
      bundleForMs: reloadMs - 1,
      expected: 'good',
    },
    {
      what: 'with the authority before still in the bundle, for long enough',
      stored: () => ({ ...ours, ca: ours.ca + other.ca }),
      bundleForMs: reloadMs,
      expected: 'prune',
    },
    {
      what: 'of which somebody wants a new authority while one is still being changed for another',
      stored: () => ({ ...ours, ca: ours.ca + other.ca, rotate: true }),
      expected: 'good',
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
      what: "with another's ca.key, but a serving certificate that works",
      stored: () => ({ ...ours, caKey: other.caKey }),
      expected: 'publish',
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

  for (const { what, stored, at, knownForMs, bundleForMs, lifetimes = DEFAULT_LIFETIMES, expected, why } of cases) {
    test(`${what}: ${expected}`, () => {
      const verdict = assess(stored(), {
        now: at ?? now,
        dnsNames,
        lifetimes,
        pauses: pausesOf(lifetimes, DEFAULT_INTERVALS.certificates),
        // Other authorities that are trusted do not count.
        knownForMs: (authority) =>
          [other.ca, lateAuthority.cert].includes(String(authority)) ? (knownForMs ?? 0) : 1e15,
        bundleForMs: bundleForMs ?? 0,
      });
      assert.equal(verdict.state, expected);
      const words = verdict.state === 'good' ? '' : verdict.why;
      if (why !== undefined) assert.match(words, why);
      assert.doesNotMatch(words, /PRIVATE KEY|[A-Za-z0-9+/]{40}/);
    });
  }

  test('a bundle is split into its certificates, with any text between them', () => {
    assert.equal(splitBundle(`# old\n${ours.ca}\n# new\n${other.ca}`).length, 2);
    assert.deepEqual(splitBundle('nothing'), []);
  });
});
