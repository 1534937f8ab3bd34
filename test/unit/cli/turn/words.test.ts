import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isNewer, readChart } from '../../../../src/cli/turn/only-newer.ts';
import { createProgress } from '../../../../src/cli/turn/progress.ts';
import { readRefusals } from '../../../../src/cli/turn/refusals.ts';
import { recordKindOf } from '../../../../src/cli/turn/release-reader.ts';

describe('what Helm prints when Belay refuses', () => {
  const denied = (what: string, code: string): string =>
    `Error: UPGRADE FAILED: create: failed to create: admission webhook "records.belay.dev" denied the request: ${what} refused: x [${code}]\n  since …\n`;
  const upgrade = 'upgrade of release web in namespace shop';
  test('somebody was faster', () => {
    assert.ok(readRefusals('upgrade', denied(upgrade, 'BelayOperationInFlight')).isBusy);
    assert.ok(
      readRefusals('upgrade', denied('install of release web in namespace shop', 'BelayOperationInFlight')).isBusy,
    );
    assert.ok(
      readRefusals('upgrade', 'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress')
        .isBusy,
    );
  });
  test('an operation that began and was overtaken has changed something', () => {
    for (const what of ['change of Deployment web in namespace shop', 'rollback of release web in namespace shop']) {
      const { isBusy, isDenied } = readRefusals('upgrade', denied(what, 'BelayOperationInFlight'));
      assert.deepEqual([isBusy, isDenied], [false, true]);
    }
  });
  test('locks', () => {
    for (const code of ['BelayFrozen', 'BelayPinned', 'BelayDowngrade'])
      assert.ok(readRefusals('upgrade', denied(upgrade, code)).isLocked, code);
    assert.equal(readRefusals('upgrade', denied(upgrade, 'BelayDrift')).isLocked, false);
    assert.deepEqual(readRefusals('upgrade', 'Error: chart not found'), {
      isBusy: false,
      isLocked: false,
      isDenied: false,
    });
  });
});

describe('--only-newer', () => {
  const cases: readonly [string, string, boolean][] = [
    ['1.4.1', '1.4.0', true],
    ['1.4.0', '1.4.0', false],
    ['1.3.9', '1.4.0', false],
    ['v1.10', '1.9.9', true],
    ['1.4.0+b', '1.4.0+a', false],
    ['1.4.0', '1.4.0-rc.1', true],
    ['today', 'today', false],
    ['today', '1.4.0', true],
  ];
  for (const [next, now, expect] of cases) {
    test(`${next} over ${now}`, () =>
      assert.equal(isNewer({ name: 'shop', version: next }, { name: 'shop', version: now }), expect));
  }
  test('another chart is no older version', () =>
    assert.ok(isNewer({ name: 'a', version: '1.0.0' }, { name: 'b', version: '2.0.0' })));
  test('what helm show chart prints', () => {
    assert.deepEqual(readChart('apiVersion: v2\nname: shop\nversion: 1.4.0\n'), { name: 'shop', version: '1.4.0' });
    assert.deepEqual(readChart('name: shop\nversion: 1.4\n'), { name: 'shop', version: '1.4' });
    assert.equal(readChart('{'), undefined);
    assert.equal(readChart(''), undefined);
  });
});

test("Helm's storage", () => {
  assert.deepEqual([undefined, '', 'secrets', 'configmap', 'sql', 'memory'].map(recordKindOf), [
    'Secret',
    'Secret',
    'Secret',
    'ConfigMap',
    undefined,
    undefined,
  ]);
});

describe('progress', () => {
  const screen = (isTTY: boolean) => {
    const lines: string[] = [];
    return { isTTY, columns: 60, lines, write: (text: string) => lines.push(text) };
  };
  test('in a pipe it is a line at each change, and now and then', () => {
    const pipe = screen(false);
    const clock = { nowMs: 0 };
    const progress = createProgress(pipe, () => clock.nowMs);
    for (; clock.nowMs < 61_000; clock.nowMs += 1_000) progress.waiting('release web is held by ann', clock.nowMs);
    progress.waiting('release web is held by bob', clock.nowMs);
    assert.deepEqual(pipe.lines, [
      'lock: release web is held by ann\n',
      'lock: release web is held by ann (waiting for 30s)\n',
      'lock: release web is held by ann (waiting for 1m)\n',
      'lock: release web is held by bob\n',
    ]);
  });
  test('on a terminal it is one line, rewritten in place, no wider than the screen, and gone before anything else', () => {
    const terminal = screen(true);
    const progress = createProgress(terminal, () => 0);
    progress.waiting('release web is held by somebody with a name that is very long indeed', 5_000);
    progress.waiting('short', 6_000);
    progress.say('done');
    const rewritten = '\r\u001b[2K';
    assert.deepEqual(terminal.lines, [
      `${rewritten}lock: release web is held by somebody wit… (waiting for 5s)`,
      `${rewritten}lock: short (waiting for 6s)`,
      rewritten,
      'lock: done\n',
    ]);
    assert.ok(terminal.lines.every((line) => line.replace(rewritten, '').length < 60));
  });
  test('text of others cannot control the terminal', () => {
    const pipe = screen(false);
    createProgress(pipe, () => 0).waiting('held by \u001b[2Jevil', 0);
    assert.ok(!pipe.lines.join('').includes('\u001b'));
  });
});
