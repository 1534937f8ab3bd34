import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKindVersions } from '../../../src/facts/kind-versions.ts';
import { type Api, ApiError } from '../../../src/kubernetes/api.ts';

const never = new AbortController().signal;
const WIDGET = { group: 'things.test', version: 'v1', kind: 'Widget' };

const versionsOver = (answer: () => unknown) => {
  const asked: string[] = [];
  let nowMs = 0;
  const api = {
    request: async ({ path }: { path: string }) => {
      asked.push(path);
      return answer();
    },
  } as unknown as Api;
  const kinds = { find: async () => undefined };
  const versions = createKindVersions({ api, kinds, nowMs: () => nowMs, rememberMs: 1000 });
  return {
    asked,
    advance: (ms: number) => {
      nowMs += ms;
    },
    read: (kind = WIDGET) => versions.read(kind, 'widgets', ['things.test/v0'], never),
  };
};

test('a definition is read once, and again after a while', async () => {
  const over = versionsOver(() => ({ spec: { group: 'things.test', versions: [{ name: 'v1' }] } }));
  const { unserved, fields } = await over.read();
  assert.deepEqual([[...unserved], [...(fields?.keys() ?? [])]], [['things.test/v0'], ['things.test/v1']]);
  await over.read();
  assert.deepEqual(over.asked, ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.things.test']);
  over.advance(1000);
  await over.read();
  assert.equal(over.asked.length, 2);
});

test('Kubernetes’ own kinds have no definition, and what may not be read is not known', async () => {
  const own = versionsOver(() => assert.fail('nothing is asked'));
  assert.equal((await own.read({ group: 'apps', version: 'v1', kind: 'Deployment' })).fields, undefined);
  for (const status of [403, 404]) {
    const hidden = versionsOver(() => {
      throw new ApiError(status, 'Forbidden', 'hidden');
    });
    assert.equal((await hidden.read()).fields, undefined);
  }
});
