import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readUntil, type UntilOptions } from '../../../src/cli/annotate/until.ts';
import { Failure } from '../../../src/cli/failure.ts';

const NOW = Date.UTC(2026, 0, 31, 12);

describe('the end of a lock', () => {
  const cases: readonly [UntilOptions, number | undefined][] = [
    [{}, undefined],
    [{ for: '30m' }, NOW + 1_800_000],
    [{ for: '2d' }, NOW + 172_800_000],
    [{ until: '2026-02-01T00:00:00Z' }, Date.UTC(2026, 1, 1)],
    [{ until: '2026-02-01T01:00:00+01:00' }, Date.UTC(2026, 1, 1)],
    [{ until: '2026-03-01' }, new Date(2026, 2, 1).getTime()],
  ];
  for (const [given, untilMs] of cases) test(JSON.stringify(given), () => assert.equal(readUntil(given, NOW), untilMs));

  const wrong: readonly [UntilOptions, RegExp][] = [
    [{ for: 'tomorrow' }, /a duration such as/],
    [{ for: '0s' }, /a duration such as/],
    [{ for: '-1h' }, /a duration such as/],
    [{ until: 'friday' }, /RFC 3339/],
    [{ until: '2026-02-30' }, /RFC 3339/],
    [{ until: '2026-01-01' }, /in the past/],
    [{ for: '1h', until: '2026-03-01' }, /one of them/],
  ];
  for (const [given, said] of wrong)
    test(`${JSON.stringify(given)} is a mistake of the command line`, () => {
      assert.throws(
        () => readUntil(given, NOW),
        (error) => error instanceof Failure && error.exitCode === 64 && said.test(error.message),
      );
    });
});
