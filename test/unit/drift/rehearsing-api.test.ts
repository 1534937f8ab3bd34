import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REHEARSED } from '../../../src/admission/explain/rehearsed.ts';
import { readRefusal } from '../../../src/cli/failure.ts';
import { rehearsingApi } from '../../../src/drift/rehearsing-api.ts';
import type { Api, ApiRequest } from '../../../src/kubernetes/api.ts';

const answering = (...warnings: readonly string[]): Api => ({
  request: async <T>({ onWarning }: ApiRequest): Promise<T> => {
    for (const text of warnings) onWarning?.(text);
    return { kind: 'ConfigMap' } as T;
  },
  watch: () => {
    throw new Error('nothing is watched here');
  },
});

const write = (api: Api): Promise<unknown> => rehearsingApi(api).request({ method: 'PATCH', path: '/api/v1/x' });

test('a dry run that passes, and that Belay would refuse as a write, is refused with the words of Belay', async () => {
  const refusal = ['change of ConfigMap web refused: Helm manages it [BelayDrift]', '  governed by: revision 1'];
  await assert.rejects(write(answering('an older warning', REHEARSED, ...refusal)), (error) => {
    assert.deepEqual(readRefusal(error), { code: 'BelayDrift', message: refusal.join('\n') });
    return true;
  });
});

test('a dry run with other warnings, or with none, passes', async () => {
  for (const api of [answering(), answering('unknown field "spec.x"')])
    assert.deepEqual(await write(api), { kind: 'ConfigMap' });
});
