import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadlineMs, parseTimeoutMs } from '../../../src/server/deadline.ts';

const urls: Record<string, number | undefined> = {
  '/validate?timeout=10s': 10_000,
  '/validate?timeout=500ms': 500,
  '/validate?timeout=1.5s': 1500,
  '/validate?a=b&timeout=0m30s&c=d': 30_000,
  '/validate': undefined,
  '/validate?timeout=': undefined,
  '/validate?timeout=10': undefined,
  '/validate?timeout=0s': undefined,
  '/validate?timeout=-5s': undefined,
  '/validate?timeout=1h': undefined,
  '/validate?timeout=1.2.3s': undefined,
  '/validate?nottimeout=5s': undefined,
};
for (const [url, timeoutMs] of Object.entries(urls)) {
  test(`${url} leaves ${timeoutMs === undefined ? 'the default' : `${timeoutMs} ms`}`, () => {
    assert.equal(parseTimeoutMs(url), timeoutMs);
  });
}

test('the deadline is half a second before the API server gives up, or halfway when that is sooner than it', () => {
  assert.equal(deadlineMs(10_000), 9500);
  assert.equal(deadlineMs(1000), 500);
  assert.equal(deadlineMs(600), 300);
});
