import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { withSortedDeletes } from '../recording/line-of.ts';
import { type Recording, recordReal } from '../recording/record-real.ts';
import { readRecording } from '../recording/recorded.ts';

/**
 * The reviews are tested in the process, over an API server and Helms in memory, which are held against a recording of the real ones
 * (test/unit/memory). Here the real ones still do what was recorded. Where one of them has changed, `make record` writes it down anew, and
 * the unit tests tell what it means for the ones in memory.
 */

const recorded = await readRecording();
let real: Recording;
before(async () => {
  real = await recordReal();
});

describe('a real API server answers what was recorded', () => {
  for (const [index, exchange] of recorded.exchanges.entries()) {
    test(exchange.what, () => assert.deepEqual(real.exchanges[index], exchange));
  }
  test('and nothing more was asked', () => assert.equal(real.exchanges.length, recorded.exchanges.length));
});

for (const helm of ['helm3', 'helm4'] as const) {
  describe(`${helm} writes what was recorded`, () => {
    const old = recorded.helm[helm];
    for (const [index, command] of old.commands.entries()) {
      test(`${index + 1}. ${command.typed}`, () => {
        const repeated = real.helm[helm].commands[index];
        assert.deepEqual(repeated && { ...repeated, writes: withSortedDeletes(repeated.writes) }, {
          ...command,
          writes: withSortedDeletes(command.writes),
        });
      });
    }
    test('into its first record', () => assert.deepEqual(real.helm[helm].payload, old.payload));
    test('and no command more was given', () => assert.equal(real.helm[helm].commands.length, old.commands.length));
  });
}
