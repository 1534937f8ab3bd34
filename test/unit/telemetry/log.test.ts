import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionLog, createLog, type Decision } from '../../../src/telemetry/log.ts';

const logged = (value: object): string => {
  let text = '';
  createLog({
    write: (line) => {
      text += line;
    },
  }).info(value, 'x');
  return text;
};

test('the values of a Secret do not get into the log, even by mistake', () => {
  const secret = { metadata: { name: 'a' }, data: { password: 'c2VjcmV0' }, stringData: { token: 'c2VjcmV0' } };
  for (const line of [logged(secret), logged({ object: secret, oldObject: secret })]) {
    assert.doesNotMatch(line, /c2VjcmV0/);
    assert.match(line, /\[Redacted\]/);
  }
});

test('a line is JSON with the time in UTC and the level by its name', () => {
  const before = Date.now();
  const line = JSON.parse(logged({ a: 1 }));
  const at = Date.parse(line.time);
  assert.equal(new Date(at).toISOString(), line.time);
  assert.ok(at >= before && at <= Date.now());
  assert.equal(line.level, 'info');
  assert.equal(line.msg, 'x');
});

test('below its level nothing is logged', () => {
  let lines = 0;
  const log = createLog({ write: () => lines++ }, 'warn');
  log.info('x');
  log.warn('x');
  assert.equal(lines, 1);
});

const decision: Decision = {
  uid: 'a"b\\c\n',
  review: 'object',
  operation: 'UPDATE',
  object: 'apps/Deployment',
  subResource: '',
  namespace: 'shop',
  name: 'web',
  user: 'eve","allowed":true,"x":"\u0000\ud800',
  allowed: false,
  reason: 'BelayDrift',
  waived: undefined,
  ms: 0.123,
};

const decided = (change: Partial<Decision>, level = 'info'): string => {
  let text = '';
  const log = createLog(
    {
      write: (line) => {
        text += line;
      },
    },
    level,
  );
  createDecisionLog(log)({ ...decision, ...change });
  return text;
};

test('a decision is one line of JSON for any texts', () => {
  const text = decided({});
  assert.equal(text.indexOf('\n'), text.length - 1);
  const { time, ...line } = JSON.parse(text);
  assert.equal(new Date(Date.parse(time)).toISOString(), time);
  const { reason, subResource, waived, ...same } = decision;
  assert.deepEqual(line, { level: 'info', ...same, code: reason, msg: 'review' });
});

test('a decision has its subresource, why it was allowed, and the denials that were not enforced, where there are any', () => {
  const { subResource, why, waived } = JSON.parse(
    decided({ subResource: 'scale', allowed: true, reason: 'no drift', waived: ['Warn BelayDrift'] }),
  );
  assert.deepEqual(
    { subResource, why, waived },
    { subResource: 'scale', why: 'no drift', waived: ['Warn BelayDrift'] },
  );
});

test('decisions are of level info', () => assert.equal(decided({}, 'warn'), ''));

test('control characters are escaped in a line, and a program reads them back unchanged', () => {
  const user = 'eve\u009b2J\u202e\u200b\u007f日本';
  const text = decided({ user });
  assert.ok(text.includes('eve\\u009b2J\\u202e\\u200b\\u007f日本'), text);
  assert.equal(JSON.parse(text).user, user);
  assert.ok(logged({ user }).includes('\\u009b2J'));
});
