import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { windowInForce } from '../../../src/policy/freeze-windows.ts';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';
import { createGuideClock } from '../../cluster/support/guide-clock.ts';
import { readGuide } from '../../cluster/support/guide-document.ts';
import { isAsShown, tellsOfFailure } from '../../cluster/support/guide-output.ts';

/** How the cluster test reads docs/guide.md: it has to see what is out of date, and nothing else, on every day of the year. */

const sections = readGuide(await readFile(join(import.meta.dirname, '../../../docs/guide.md'), 'utf8'));
const files = sections.flatMap(({ steps }) => steps.filter((step) => step.kind === 'file'));

test('every case has commands, and what they print', () => {
  assert.ok(sections.length >= 12);
  for (const { title, steps } of sections) {
    const commands = steps.filter((step) => step.kind === 'command');
    assert.ok(commands.length > 0, title);
    for (const { command, shown } of commands) assert.ok(shown.length > 0, command);
  }
});

describe('the output of a command is compared with the guide', () => {
  const fixed = new Set(['2026-11-23T07:00:00Z']);
  const cases: readonly (readonly [name: string, shown: string, seen: string, fits: boolean])[] = [
    ['the same', 'a\nb', 'a\nb\n', true],
    ['other words', 'deployed', 'failed', false],
    ['one line more', 'a', 'a\nb', false],
    ['one line less', 'a\nb', 'a', false],
    ['nothing at all', 'a', '', false],
    ['another age', 'since 2026-11-20T16:20:01Z (3s ago)', 'since 2026-11-20T16:21:44Z (1m2s ago)', true],
    ['another end than the command says', 'until 2026-11-23T07:00:00Z', 'until 2026-11-23T06:00:00Z', false],
    ['wider columns', 'NAME   AGE\nweb    3s', 'NAME       AGE\nweb        12m', true],
    ['any lines where some are left out', 'first\n...\nlast', 'first\n1\n2\nlast', true],
    ['another last line', 'first\n...\nlast', 'first\n1\n2', false],
    ['a dot is a dot', 'nginx:1.28', 'nginx:1x28', false],
  ];
  for (const [name, shown, seen, fits] of cases) {
    test(name, () => assert.equal(isAsShown(shown.split('\n'), seen, { fixed, ordered: true }), fits));
  }
  test('Events come in any order', () => {
    assert.ok(isAsShown(['a', 'b'], 'b\na\n', { fixed, ordered: false }));
    assert.ok(!isAsShown(['a', 'b'], 'b\nc\n', { fixed, ordered: false }));
  });
  test('a failure is told by its first word', () => {
    assert.ok(tellsOfFailure(['level=WARN', 'Error: UPGRADE FAILED: x']));
    assert.ok(!tellsOfFailure(['web deployed, no Error: anywhere']));
    assert.ok(!tellsOfFailure(['Error: x', 'exit code 75']));
  });
});

describe('on any day', () => {
  const HOUR_MS = 3_600_000;
  /** Of three years, at all hours: 101 hours are no multiple of a day. */
  const days = Array.from({ length: 260 }, (_, i) => Date.UTC(2027, 0) + i * 101 * HOUR_MS);

  test('a time of the story lies as far ahead as it says', () => {
    for (const nowMs of days) {
      const clock = createGuideClock(nowMs);
      const command = 'belay.dev/open-until=2026-11-20T18:20:00Z';
      const aheadMs = Date.parse(clock.toReal(command).split('=')[1] ?? '') - nowMs;
      assert.ok(aheadMs > 2 * HOUR_MS - 60_000 && aheadMs <= 2 * HOUR_MS);
      assert.equal(clock.toGuide(clock.toReal(command)), command);
    }
    const clock = createGuideClock(days[7] ?? 0);
    const helm = 'LAST DEPLOYED: Fri Nov 20 16:21:07 2026';
    assert.notEqual(clock.toReal(helm), helm);
    assert.equal(clock.toGuide(clock.toReal(helm)), helm);
  });

  test('the window of the policy is open', () => {
    const weekends = files.find(({ name }) => name === 'weekends.yaml');
    assert.ok(weekends);
    for (const nowMs of days) {
      const { spec } = parse(createGuideClock(nowMs).toReal(weekends.text)) as { spec: unknown };
      const parsed = parsePolicy({ metadata: { name: 'weekends' }, spec }, { staleAfterMs: 600_000 });
      assert.ok(parsed.ok);
      const [window] = parsed.policy.freeze.windows;
      assert.ok(window && windowInForce(window, nowMs), `${new Date(nowMs).toISOString()}: ${JSON.stringify(spec)}`);
    }
  });
});

test('every policy of the guide can be read', () => {
  const policies = files.filter(({ text }) => text.includes('kind: ReleasePolicy'));
  assert.ok(policies.length >= 5);
  for (const { name, text } of policies) {
    const object = parse(text) as { metadata: { name: string }; spec: unknown };
    const parsed = parsePolicy(object, { staleAfterMs: 600_000 });
    assert.ok(parsed.ok, `${name}: ${JSON.stringify(parsed)}`);
  }
});
