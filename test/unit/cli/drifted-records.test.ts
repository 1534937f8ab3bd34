import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DriftEvent, readDriftEvents } from '../../../src/cli/releases/drifted-records.ts';

const event = (reason: string, second: number, name = 'sh.helm.release.v1.web.v1'): DriftEvent => ({
  reason,
  lastTimestamp: `2026-01-01T10:00:0${second}Z`,
  involvedObject: { name, uid: 'r1' },
});

describe('a record counts as drifted by its latest Event', () => {
  const CASES: readonly (readonly [what: string, events: readonly DriftEvent[], isDrifted: boolean])[] = [
    ['none', [], false],
    ['found', [event('DriftDetected', 1)], true],
    ['found and resolved', [event('DriftDetected', 1), event('DriftResolved', 2)], false],
    ['resolved in the same second', [event('DriftResolved', 1), event('DriftDetected', 1)], false],
    ['found in the same second that it was resolved', [event('DriftDetected', 1), event('DriftResolved', 1)], false],
    ['found again', [event('DriftResolved', 1), event('DriftDetected', 2)], true],
    ['found on an object, not on a record', [event('DriftDetected', 1, 'web')], false],
    ['an Event without a time', [{ ...event('DriftDetected', 1), lastTimestamp: null }], true],
  ];
  for (const [what, events, isDrifted] of CASES)
    test(what, () => assert.deepEqual([...readDriftEvents(events)], isDrifted ? ['r1'] : []));
});
