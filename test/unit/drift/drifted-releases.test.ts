import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDriftEvents } from '../../../src/drift/drifted-releases.ts';
import { record } from './objects.ts';

const event = (reason: string, second: number, name = 'sh.helm.release.v1.web.v1', uid = 'r1') => ({
  reason,
  lastTimestamp: `2026-01-01T10:00:0${second}Z`,
  involvedObject: { name, namespace: 'shop', uid },
});

describe('a release counts as drifted by the latest Event on its records', () => {
  const CASES: readonly (readonly [what: string, events: readonly ReturnType<typeof event>[], isDrifted: boolean])[] = [
    ['found', [event('DriftDetected', 1)], true],
    ['found and resolved', [event('DriftDetected', 1), event('DriftResolved', 2)], false],
    ['resolved in the same second', [event('DriftResolved', 1), event('DriftDetected', 1)], false],
    ['found again', [event('DriftResolved', 1), event('DriftDetected', 2)], true],
    ['found on an object, not on a record', [event('DriftDetected', 1, 'web')], false],
    ['found on a record that is gone', [event('DriftDetected', 1, undefined, 'gone')], false],
  ];
  for (const [what, events, isDrifted] of CASES)
    test(what, () => assert.deepEqual([...readDriftEvents(events, [record()])], isDrifted ? ['shop/web'] : []));
});
