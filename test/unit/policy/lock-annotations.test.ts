import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeLockChange } from '../../../src/policy/judge-lock-change.ts';
import { type Annotations, readFreeze, readMaintenanceWindow } from '../../../src/policy/lock-annotations.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const SOURCE = { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v1' } as const;
const LATER = '2026-11-21T13:00:00Z';
const EVEN_LATER = '2026-11-22T13:00:00+01:00';
const EARLIER = '2026-11-21T11:00:00Z';

describe('the verbs that a change of locks needs, and its problems', () => {
  const cases: readonly { name: string; before?: Annotations; after: Annotations; expect: string }[] = [
    { name: 'only annotations of others', before: { a: '1' }, after: { a: '2' }, expect: '' },
    { name: 'freeze', after: { 'belay.dev/freeze': 'friday' }, expect: 'lock' },
    { name: 'freeze until', after: { 'belay.dev/freeze': 'friday', 'belay.dev/freeze-until': LATER }, expect: 'lock' },
    { name: 'another reason', before: { 'belay.dev/freeze': 'a' }, after: { 'belay.dev/freeze': 'b' }, expect: 'lock' },
    {
      name: 'another reason over the freeze of somebody else',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'ann' },
      after: { 'belay.dev/freeze': 'b', 'belay.dev/freeze-by': 'bob' },
      expect: 'unlock,lock',
    },
    {
      name: 'another reason over a freeze that says nobody, as written while Belay was down',
      before: { 'belay.dev/freeze': 'a' },
      after: { 'belay.dev/freeze': 'b', 'belay.dev/freeze-by': 'bob' },
      expect: 'unlock,lock',
    },
    {
      name: 'another reason over the writer’s own freeze',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'bob', 'belay.dev/freeze-until': LATER },
      after: { 'belay.dev/freeze': 'b', 'belay.dev/freeze-by': 'bob' },
      expect: 'lock',
    },
    {
      name: 'another reason over the freeze of somebody else that has ended',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'ann', 'belay.dev/freeze-until': EARLIER },
      after: { 'belay.dev/freeze': 'b', 'belay.dev/freeze-by': 'bob' },
      expect: 'lock',
    },
    { name: 'unfreeze', before: { 'belay.dev/freeze': 'a' }, after: {}, expect: 'unlock' },
    {
      name: 'unfreeze a freeze with an end',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': LATER },
      after: {},
      expect: 'unlock',
    },
    {
      name: 'set an end to a freeze',
      before: { 'belay.dev/freeze': 'a' },
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': LATER },
      expect: 'unlock',
    },
    {
      name: 'a longer freeze',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': LATER },
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': EVEN_LATER },
      expect: 'lock',
    },
    {
      name: 'a shorter freeze',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': EVEN_LATER },
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': LATER },
      expect: 'unlock',
    },
    {
      name: 'remove the end of a freeze',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': LATER },
      after: { 'belay.dev/freeze': 'a' },
      expect: 'lock',
    },
    { name: 'no reason', after: { 'belay.dev/freeze': ' ' }, expect: 'lock! belay.dev/freeze has no reason' },
    {
      name: 'a time in the past',
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': EARLIER },
      expect: 'lock! belay.dev/freeze-until lies in the past',
    },
    {
      name: 'text that is no time',
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': 'tomorrow' },
      expect: 'lock! belay.dev/freeze-until is not an RFC 3339 time',
    },
    {
      name: 'a date without a time',
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': '2026-12-01' },
      expect: 'lock! belay.dev/freeze-until is not an RFC 3339 time',
    },
    {
      name: 'a day that does not exist',
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': '2031-02-30T00:00:00Z' },
      expect: 'lock! belay.dev/freeze-until is not an RFC 3339 time',
    },
    {
      name: 'an end without a freeze',
      after: { 'belay.dev/freeze-until': LATER },
      expect: 'lock! belay.dev/freeze-until stands without belay.dev/freeze',
    },
    {
      name: 'a misspelt key',
      after: { 'belay.dev/freze': 'a' },
      expect: '! belay.dev/freze is no annotation that Belay knows (did you mean belay.dev/freeze?)',
    },
    { name: 'open', after: { 'belay.dev/open': 'a', 'belay.dev/open-until': LATER }, expect: 'open' },
    {
      name: 'a maintenance window without an end',
      after: { 'belay.dev/open': 'a' },
      expect: 'open! belay.dev/open stands without belay.dev/open-until',
    },
    {
      name: 'a maintenance window of more than a day',
      after: { 'belay.dev/open': 'a', 'belay.dev/open-until': '2026-11-22T12:00:01Z' },
      expect: 'open! belay.dev/open-until lies too far ahead',
    },
    {
      name: 'a maintenance window of a day',
      after: { 'belay.dev/open': 'a', 'belay.dev/open-until': '2026-11-22T12:00:00Z' },
      expect: 'open',
    },
    { name: 'close', before: { 'belay.dev/open': 'a', 'belay.dev/open-until': LATER }, after: {}, expect: 'lock' },
    { name: 'break', after: { 'belay.dev/break': 'job was killed' }, expect: 'break' },
  ];
  for (const { name, before = {}, after, expect } of cases) {
    test(name, () => {
      const { verbs, problems } = judgeLockChange(before, after, NOW_MS, SOURCE);
      const [problem] = problems;
      const remedy = problem?.remedy.startsWith('did you mean') ? ` (${problem.remedy})` : '';
      const said = problem === undefined ? '' : `! ${problem.annotation} ${problem.problem}${remedy}`;
      assert.equal(`${verbs.join(',')}${said}`, expect);
    });
  }
});

describe('whether a freeze is in force', () => {
  const cases: readonly { name: string; annotations: Annotations; frozen: boolean }[] = [
    { name: 'without an end', annotations: { 'belay.dev/freeze': 'a' }, frozen: true },
    { name: 'until its end', annotations: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': LATER }, frozen: true },
    {
      name: 'after its end',
      annotations: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': EARLIER },
      frozen: false,
    },
    {
      name: 'when its end cannot be read',
      annotations: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': 'soon' },
      frozen: true,
    },
    { name: 'when its reason is empty', annotations: { 'belay.dev/freeze': '' }, frozen: true },
    { name: 'not without annotations', annotations: {}, frozen: false },
  ];
  for (const { name, annotations, frozen } of cases) {
    test(name, () => assert.equal(readFreeze(annotations, SOURCE, NOW_MS) !== undefined, frozen));
  }
});

test('a maintenance window without a readable end is closed', () => {
  assert.equal(readMaintenanceWindow({ 'belay.dev/open': 'a' }, SOURCE, NOW_MS), undefined);
  assert.equal(
    readMaintenanceWindow({ 'belay.dev/open': 'a', 'belay.dev/open-until': 'soon' }, SOURCE, NOW_MS),
    undefined,
  );
  // Belay would have refused it, so it was written while Belay was down.
  const endless = { 'belay.dev/open': 'a', 'belay.dev/open-until': '2030-01-01T00:00:00Z' };
  assert.equal(readMaintenanceWindow(endless, SOURCE, NOW_MS), undefined);
  assert.equal(
    readMaintenanceWindow({ 'belay.dev/open': 'a', 'belay.dev/open-until': LATER }, SOURCE, NOW_MS)?.reason,
    'a',
  );
});
