import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { type BodyBudget, LARGE_BODY_BYTES, readBody } from '../../../src/server/read-body.ts';

const incoming = (headers: Record<string, string> = {}): IncomingMessage => {
  const message = new IncomingMessage(new Socket());
  Object.assign(message.headers, headers);
  return message;
};

const toText = (bytes: Buffer): string => bytes.toString('utf8');
const budgetOf = (smallBytes: number): BodyBudget => ({ smallBytes, largeBytes: 0 });

describe('the memory that unfinished bodies may take', () => {
  test('is given back by a body that was read', async () => {
    const budget = budgetOf(10);
    const message = incoming();
    const body = readBody(message, budget, toText);
    message.push('hello');
    message.push('world');
    message.push(null);
    assert.deepEqual(await body, { ok: true, bytes: 10, content: 'helloworld' });
    assert.equal(budget.smallBytes, 10);
  });

  test('is shared: one more byte than there is room for is an overload, and the others go on', async () => {
    const budget = budgetOf(10);
    const [slow, late] = [incoming(), incoming()];
    const first = readBody(slow, budget, toText);
    const second = readBody(late, budget, toText);
    slow.push('12345678');
    await once(slow, 'data');
    late.push('123');
    assert.deepEqual(await second, { ok: false, problem: 'overloaded' });
    slow.push('90');
    slow.push(null);
    assert.deepEqual(await first, { ok: true, bytes: 10, content: '1234567890' });
    assert.equal(budget.smallBytes, 10);
  });

  test('has a share for long bodies alone: when they have used it up, short ones are still read', async () => {
    const budget: BodyBudget = { smallBytes: LARGE_BODY_BYTES, largeBytes: LARGE_BODY_BYTES + 10 };
    const long = 'x'.repeat(LARGE_BODY_BYTES + 1);
    const [slow, late, short] = [incoming(), incoming(), incoming()];
    const first = readBody(slow, budget, toText);
    slow.push(long);
    await once(slow, 'data');
    assert.deepEqual(budget, { smallBytes: LARGE_BODY_BYTES, largeBytes: 9 });
    const second = readBody(late, budget, toText);
    late.push(long);
    assert.deepEqual(await second, { ok: false, problem: 'overloaded' });
    const third = readBody(short, budget, toText);
    short.push('short');
    short.push(null);
    assert.deepEqual(await third, { ok: true, bytes: 5, content: 'short' });
    slow.push(null);
    assert.equal((await first).ok, true);
    assert.deepEqual(budget, { smallBytes: LARGE_BODY_BYTES, largeBytes: LARGE_BODY_BYTES + 10 });
  });

  test('is given back by a body that was too large, although more of it still comes', async () => {
    const budget = budgetOf(100);
    const message = incoming();
    const body = readBody(message, budget, toText, 4);
    message.push('12345');
    assert.deepEqual(await body, { ok: false, problem: 'too_large' });
    const more = once(message, 'data');
    message.push('6');
    await more;
    assert.equal(budget.smallBytes, 100);
  });

  test('is given back by a client that leaves', async () => {
    const budget = budgetOf(100);
    const message = incoming();
    const body = readBody(message, budget, toText);
    message.push('12345');
    await once(message, 'data');
    message.destroy();
    assert.deepEqual(await body, { ok: false, problem: 'truncated' });
    assert.equal(budget.smallBytes, 100);
  });
});

test('a body whose stated length is too large is refused unread, and takes no memory', async () => {
  const budget = budgetOf(100);
  assert.deepEqual(await readBody(incoming({ 'content-length': '5' }), budget, toText, 4), {
    ok: false,
    problem: 'too_large',
  });
  assert.equal(budget.smallBytes, 100);
});
