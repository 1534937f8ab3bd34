import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';
import { createReachability, type Reachability } from '../../../src/kubernetes/reachability.ts';

type Step = 'answer' | 'no answer' | 'review' | number;

/** Plays the steps, of which a number is seconds that pass. Returns whether the replica then counts as cut off. */
const play = (steps: readonly Step[]): boolean => {
  let nowMs = 0;
  const reachability: Reachability = createReachability({
    ask: async () => false,
    reconnect: () => undefined,
    renew: () => undefined,
    intervals: DEFAULT_INTERVALS.reachability,
    monotonicMs: () => nowMs,
  });
  for (const step of steps) {
    if (typeof step === 'number') nowMs += step * 1000;
    else if (step === 'answer') reachability.noteAnswer();
    else if (step === 'no answer') reachability.noteNoAnswer(0);
    else reachability.noteReview();
  }
  return reachability.isCutOff();
};

const cases: readonly (readonly [what: string, steps: readonly Step[], cutOff: boolean])[] = [
  ['an API server that answers', ['answer', 'review', 300], false],
  ['an API server that is down for everybody, and so asks nothing', ['no answer', 3_600], false],
  ['what was under way when the API server went down', ['no answer', 4, 'review', 3_600], false],
  [
    'an API server that has just come back, and asks before the watches are there',
    ['no answer', 60, 'review', 9],
    false,
  ],
  ['the same, once it has answered', ['no answer', 60, 'review', 2, 'answer', 'review', 3_600], false],
  ['an API server that goes on asking, and does not answer this replica', ['no answer', 11, 'review', 10], true],
  ['the same, where little is asked', ['no answer', 300, 'review', 300, 'no answer'], true],
  ['the same, until it answers', ['no answer', 11, 'review', 60, 'answer'], false],
];

for (const [what, steps, cutOff] of cases) {
  test(`${cutOff ? 'not ready' : 'ready'}: ${what}`, () => assert.equal(play(steps), cutOff));
}

test('the replica asks the API server, one question at a time, before it closes its connections', async () => {
  let nowMs = 0;
  let asked = 0;
  let reconnected = 0;
  let answer = (_answered: boolean): void => undefined;
  const ask = (): Promise<boolean> => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const reconnect = (): void => {
    reconnected += 1;
  };
  const reachability = createReachability({
    ask,
    reconnect,
    renew: () => undefined,
    intervals: DEFAULT_INTERVALS.reachability,
    monotonicMs: () => nowMs,
  });
  reachability.noteNoAnswer(0);
  reachability.noteReview();
  assert.equal(asked, 0);
  nowMs = 11_000;
  for (let turn = 0; turn < 5; turn += 1) reachability.noteReview();
  assert.equal(asked, 1);
  answer(true);
  await new Promise(setImmediate);
  assert.equal(reconnected, 0);
  reachability.noteNoAnswer(0);
  assert.equal(asked, 2);
  answer(false);
  await new Promise(setImmediate);
  assert.equal(reconnected, 1);
  // New connections get some time.
  reachability.noteNoAnswer(0);
  answer(false);
  await new Promise(setImmediate);
  assert.equal(reconnected, 1);
});

test('one request without an answer, while others are answered, leads to new connections now and then', () => {
  let nowMs = 0;
  let renewed = 0;
  const reachability = createReachability({
    ask: async () => true,
    reconnect: () => assert.fail('everything that is under way is given up'),
    renew: () => {
      renewed += 1;
    },
    intervals: DEFAULT_INTERVALS.reachability,
    monotonicMs: () => nowMs,
  });
  // A connection that broke at once is known to be broken.
  reachability.noteNoAnswer(20);
  assert.equal(renewed, 0);
  for (let turn = 0; turn < 3; turn += 1) {
    reachability.noteAnswer();
    reachability.noteNoAnswer(1_500);
  }
  assert.equal(renewed, 1);
  nowMs = 9_000;
  reachability.noteAnswer();
  reachability.noteNoAnswer(1_500);
  assert.equal(renewed, 1);
  nowMs = 10_000;
  reachability.noteAnswer();
  reachability.noteNoAnswer(1_500);
  assert.equal(renewed, 2);
});
