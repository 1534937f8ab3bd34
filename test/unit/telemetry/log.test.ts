import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/telemetry/log.ts';

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
