// Longer than 200 lines: the generators of locks, ranges and policies are as long as the properties.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeDenial } from '../../src/admission/explain/message.ts';
import { MAX_RANGE_LENGTH, parseRange } from '../../src/helm/chart-range.ts';
import { parseVersion } from '../../src/helm/chart-version.ts';
import { nextWindow, policyFreezes } from '../../src/policy/freeze-windows.ts';
import { judgeLockChange } from '../../src/policy/judge-lock-change.ts';
import type { LockSource } from '../../src/policy/lock.ts';
import { parseTime, readFreeze, readMaintenanceWindow } from '../../src/policy/lock-annotations.ts';
import { compileGlob, GLOB_PATTERN, MAX_GLOB_LENGTH } from '../../src/policy/name-glob.ts';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import { parseSchedule } from '../../src/policy/schedule.ts';
import { ignoredPathsFor, isTrusted } from '../../src/policy/subjects.ts';
import { isSameDuration, isSameQuantity } from '../../src/rules/drift/amount.ts';
import { fuzz, hostileText, json, jsonMap } from './fuzz.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const SOURCE: LockSource = { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v1' };

const rangePart = fc.constantFrom(
  '1',
  '.',
  'x',
  '*',
  '^',
  '~',
  '>',
  '<',
  '=',
  '||',
  ' ',
  ',',
  '-',
  ' - ',
  '+',
  'v',
  '0',
  '9'.repeat(20),
  'alpha',
  '99999',
);
const range = fc.oneof(
  fc.array(rangePart, { maxLength: 200 }).map((parts) => parts.join('')),
  hostileText,
);
const timePart = fc.constantFrom(
  '2026',
  '-',
  '11',
  '02',
  '30',
  'T',
  't',
  ':',
  '24',
  '60',
  '00',
  '.',
  '9'.repeat(500),
  'Z',
  '+',
  '99:99',
  ' ',
);
const time = fc.oneof(
  fc.array(timePart, { maxLength: 20 }).map((parts) => parts.join('')),
  fc.constantFrom('2026-02-30T00:00:00Z', '9999-12-31T23:59:59Z', '0000-01-01T00:00:00-23:59'),
  hostileText,
);
const huge = fc.integer({ min: 500, max: 262_144 }).map((length) => 'x'.repeat(length));
const locks = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc
          .constantFrom(
            'freeze',
            'freeze-until',
            'freeze-by',
            'pin',
            'no-downgrade',
            'open',
            'open-until',
            'break',
            'frezee',
            '__proto__',
          )
          .map((key) => `belay.dev/${key}`),
        hostileText,
      ),
      fc.oneof(range, time, hostileText, huge, fc.constantFrom('true', 'on')),
    ),
    { maxLength: 6 },
  )
  .map((entries): Record<string, string> => Object.fromEntries(entries));

fuzz('any change of locks is judged, and its problems are told in short', [locks, locks], (before, after) => {
  const { keys, verbs, problems } = judgeLockChange(before, after, NOW_MS, SOURCE);
  // A change that needs no right is refused.
  if (verbs.length === 0) assert.ok(keys.length === 0 || problems.length > 0);
  for (const problem of problems) {
    const { message } = describeDenial({ code: 'BelayBadLock', source: SOURCE, ...problem }, NOW_MS);
    assert.ok(message.length < 4096, `${message.length} characters`);
  }
  for (const annotations of [before, after]) {
    readFreeze(annotations, SOURCE, NOW_MS);
    readMaintenanceWindow(annotations, SOURCE, NOW_MS);
  }
});

fuzz('the reason of a freeze is never longer than its annotation', [locks], (annotations) => {
  const { problems } = judgeLockChange({}, annotations, NOW_MS, SOURCE);
  const freeze = readFreeze(annotations, SOURCE, NOW_MS);
  if (problems.length === 0 && freeze !== undefined) assert.ok(freeze.reason.length <= 512);
});

fuzz('a time that is read is a time', [time], (text) => {
  const ms = parseTime(text);
  if (ms !== undefined) assert.ok(!Number.isNaN(new Date(ms).getTime()));
});

fuzz(
  'any range of versions is read or refused, and only a short one is read',
  [range, fc.oneof(range, fc.constantFrom('1.2.3', 'v1', '1.2'))],
  (text, version) => {
    const parsed = parseRange(text);
    const read = parseVersion(version);
    if (parsed !== undefined) assert.ok(text.length <= MAX_RANGE_LENGTH);
    if (read !== undefined) parsed?.includes(read);
  },
);

const globPart = fc.constantFrom('*', '?', 'a', 'aa', '.', '-', ':', '[', '{', '!', '(', ')', '+', '@', '\\', '/');
const glob = fc.array(globPart, { maxLength: 120 }).map((parts) => parts.join('').slice(0, MAX_GLOB_LENGTH));
const names = fc.oneof(
  hostileText,
  fc.nat(253).map((length) => 'a'.repeat(length)),
  fc.nat(126).map((length) => 'ab'.repeat(length)),
);

/** A simple matcher, without a regular expression. */
const matches = (pattern: string, name: string): boolean => {
  const [first = '', ...others] = pattern.split('*');
  const fits = (part: string, place: number): boolean =>
    [...part].every((letter, i) => place + i < name.length && (letter === '?' || letter === name[place + i]));
  const find = (parts: readonly string[], from: number): boolean => {
    const [part, ...rest] = parts;
    if (part === undefined) return from === name.length;
    if (rest.length === 0) return name.length - part.length >= from && fits(part, name.length - part.length);
    for (let place = from; place + part.length <= name.length; place += 1)
      if (fits(part, place) && find(rest, place + part.length)) return true;
    return false;
  };
  if (!fits(first, 0)) return false;
  return others.length === 0 ? name.length === first.length : find(others, first.length);
};
fuzz(
  'any glob that is taken matches as a simple matcher says',
  [
    glob.filter((pattern) => pattern !== '' && GLOB_PATTERN.test(pattern)),
    names.filter((name) => /^[0-9A-Za-z.:-]+$/.test(name)),
  ],
  (pattern, name) => {
    assert.equal(compileGlob(pattern)(name), matches(pattern, name), `${pattern} ${name}`);
  },
);

const cronPart = fc.constantFrom(
  '*',
  '/',
  '-',
  ',',
  '0',
  '1',
  '5',
  '59',
  '60',
  '31',
  'L',
  'W',
  '#',
  '?',
  '+',
  'FRI',
  'JAN',
  'MON-SUN',
  '*/1',
  '*/59',
  '1-5',
  'LW',
  '5#5',
  '999999999',
);
const field = fc.array(cronPart, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
const schedule = fc.oneof(
  fc.array(field, { minLength: 5, maxLength: 5 }).map((fields) => fields.join(' ')),
  hostileText,
);
const zone = fc.oneof(
  fc.constantFrom('UTC', 'Europe/Berlin', 'America/Nuuk', 'Etc/GMT+12', '+02:00', '__proto__'),
  hostileText,
);
fuzz(
  'any schedule is read or refused, and its starts are in order',
  [schedule, zone, fc.integer({ min: 0, max: 4e12 })],
  (text, timeZone, ms) => {
    const parsed = parseSchedule(text, timeZone);
    const next = parsed?.nextStart(ms);
    if (next !== undefined) assert.ok(next > ms - 1000);
    const last = parsed?.lastStart(ms);
    if (last !== undefined) assert.ok(last <= ms);
  },
  100,
);

const action = fc.constantFrom('Deny', 'Warn', 'Audit', 'Off', false, 'deny', null);
const spec = fc.oneof(
  json,
  fc.record(
    {
      priority: fc.oneof(fc.integer(), json),
      match: fc.oneof(
        json,
        fc.record(
          {
            releases: fc.array(fc.oneof(glob, hostileText), { maxLength: 3 }),
            namespaceSelector: fc.oneof(json, fc.record({ matchLabels: jsonMap })),
          },
          { requiredKeys: [] },
        ),
      ),
      operations: fc.record(
        { action, staleAfter: fc.oneof(hostileText, fc.constantFrom('10m', '1s', '9'.repeat(30))) },
        { requiredKeys: [] },
      ),
      versions: fc.record({ action, range, downgrade: action }, { requiredKeys: [] }),
      drift: fc.record(
        {
          action,
          ignore: fc.array(
            fc.record({
              group: hostileText,
              kind: hostileText,
              name: glob,
              paths: fc.array(fc.oneof(hostileText, fc.constantFrom('/spec/replicas', '/'))),
            }),
            { maxLength: 2 },
          ),
          trusted: json,
        },
        { requiredKeys: [] },
      ),
      freeze: fc.record(
        {
          action,
          reason: hostileText,
          windows: fc.array(
            fc.record({
              schedule,
              duration: fc.constantFrom('1h', '31d', '1s', 'x'),
              timeZone: zone,
              reason: hostileText,
            }),
            { maxLength: 2 },
          ),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
);
fuzz(
  'any policy is read, or refused with a problem for each field',
  [spec, hostileText],
  (given, name) => {
    const parsed = parsePolicy({ metadata: { name }, spec: given }, { staleAfterMs: 600_000 });
    if (parsed.ok) {
      policyFreezes(parsed.policy, NOW_MS);
      for (const window of parsed.policy.freeze.windows) nextWindow(window, NOW_MS);
      ignoredPathsFor(parsed.policy.drift.ignore, { group: '', kind: 'ConfigMap', name });
      isTrusted(parsed.policy.drift.trusted, { username: name, groups: [name] });
    } else {
      const { message } = describeDenial({ code: 'BelayBadPolicy', policy: name, problems: parsed.problems }, NOW_MS);
      assert.ok(message.length < 32 * 1024, `${message.length} characters`);
    }
  },
  150,
);

const amount = fc.oneof(
  fc
    .array(fc.constantFrom('1', '0', '.', '-', 'e', 'E', '99', 'm', 'Ki', 'Ei', 's', 'h', 'ms'), { maxLength: 70 })
    .map((parts) => parts.join('')),
  fc.double(),
  hostileText,
);
fuzz('amounts are compared alike in both orders', [amount, amount], (left, right) => {
  for (const isSame of [isSameQuantity, isSameDuration]) {
    assert.equal(isSame(left, right), isSame(right, left));
    assert.equal(isSame(left, left), isSame(left, left));
  }
});
