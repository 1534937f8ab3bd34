import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findBelay } from '../../../../src/cli/turn/release-reader.ts';
import { type Api, ApiError } from '../../../../src/kubernetes/api.ts';

const answering = (answer: () => Promise<unknown>): Api => ({
  request: <T>() => answer() as Promise<T>,
  watch: () => {
    throw new Error('nothing is watched');
  },
});

const refusing = (status: number): Api => answering(() => Promise.reject(new ApiError(status, '', 'no')));

describe('whether Belay is in the cluster', () => {
  test('is told by its API', async () => assert.equal(await findBelay(answering(async () => ({}))), true));
  test('it is not', async () => assert.equal(await findBelay(refusing(404)), false));
  test('may be hidden from this user', async () => assert.equal(await findBelay(refusing(403)), undefined));
  test('is not guessed when the cluster does not answer', async () => {
    await assert.rejects(findBelay(refusing(0)), ApiError);
  });
});
