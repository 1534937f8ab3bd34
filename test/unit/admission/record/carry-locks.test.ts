import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { completeLocks } from '../../../../src/admission/record/carry-locks.ts';
import type { Annotations } from '../../../../src/policy/lock-annotations.ts';

const LATER = '2026-11-21T13:00:00Z';
const EARLIER = '2026-11-21T11:00:00Z';

describe('what a person writes is completed', () => {
  const cases: readonly { name: string; before: Annotations; after: Annotations; expect: Annotations }[] = [
    {
      name: 'who froze',
      before: {},
      after: { 'belay.dev/freeze': 'a' },
      expect: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'ann' },
    },
    {
      name: 'nobody forges who froze',
      before: {},
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'bob' },
      expect: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'ann' },
    },
    {
      name: 'nobody changes later who froze',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'ann' },
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'bob' },
      expect: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'ann' },
    },
    {
      name: 'unfreezing leaves nothing behind',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'ann', 'belay.dev/freeze-until': LATER },
      after: { 'belay.dev/freeze-by': 'ann', 'belay.dev/freeze-until': LATER },
      expect: {},
    },
    {
      name: 'a new freeze over an expired one is not born expired',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': EARLIER },
      after: { 'belay.dev/freeze': 'b', 'belay.dev/freeze-until': EARLIER },
      expect: { 'belay.dev/freeze': 'b', 'belay.dev/freeze-by': 'ann' },
    },
    {
      name: 'a new freeze over one in force does not end with it',
      before: { 'belay.dev/freeze': 'short', 'belay.dev/freeze-by': 'bob', 'belay.dev/freeze-until': LATER },
      after: { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-by': 'bob', 'belay.dev/freeze-until': LATER },
      expect: { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-by': 'ann' },
    },
    {
      name: 'a new freeze over one in force keeps an end of its own',
      before: { 'belay.dev/freeze': 'short', 'belay.dev/freeze-until': EARLIER },
      after: { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-until': LATER },
      expect: { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-by': 'ann', 'belay.dev/freeze-until': LATER },
    },
    {
      name: 'the same freeze written again keeps its end',
      before: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'bob', 'belay.dev/freeze-until': LATER },
      after: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-until': LATER },
      expect: { 'belay.dev/freeze': 'a', 'belay.dev/freeze-by': 'bob', 'belay.dev/freeze-until': LATER },
    },
    {
      name: 'closing a window leaves nothing behind',
      before: { 'belay.dev/open': 'a', 'belay.dev/open-until': LATER },
      after: { 'belay.dev/open-until': LATER },
      expect: {},
    },
    { name: 'annotations that are not Belay’s are left alone', before: {}, after: { other: 'x' }, expect: {} },
  ];
  for (const { name, before, after, expect } of cases) {
    test(name, () => assert.deepEqual(completeLocks(before, after, 'ann'), expect));
  }
});
