import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listRecords, readLeaseVersion, readNamespace } from '../../../src/facts/release-reader.ts';
import { recordName } from '../../../src/helm/record.ts';
import { type Api, ApiError, type ApiRequest } from '../../../src/kubernetes/api.ts';

const SHOP = { namespace: 'shop' };

const recordOf = (release: string, revision: number): object => ({
  metadata: { namespace: 'shop', name: recordName(release, revision), labels: { owner: 'helm', name: release } },
});

/** An API server that gives these answers in turn, and what it was asked for. */
const answering = (...answers: readonly (object | ApiError)[]): { readonly api: Api; readonly asked: ApiRequest[] } => {
  const asked: ApiRequest[] = [];
  const request = async (one: ApiRequest): Promise<unknown> => {
    const answer = answers[asked.length];
    asked.push(one);
    if (answer === undefined || answer instanceof ApiError) throw answer ?? new Error('nothing more was to be asked');
    return answer;
  };
  return { api: { request: request as Api['request'], watch: () => assert.fail('nothing is watched') }, asked };
};

describe('records', () => {
  test('are listed page by page, up to the last page', async () => {
    const { api, asked } = answering(
      { items: [recordOf('web', 1)], metadata: { continue: 'more' } },
      { items: [recordOf('web', 2)] },
    );
    const { items, isCut } = await listRecords(api, 'Secret', SHOP);
    assert.deepEqual(
      items.map(({ revision }) => revision),
      [1, 2],
    );
    assert.equal(isCut, false);
    assert.deepEqual(
      asked.map(({ query }) => [query?.labelSelector, query?.limit, query?.continue]),
      [
        ['owner=helm', 40, undefined],
        ['owner=helm', 160, 'more'],
      ],
    );
  });

  test('are cut after the pages that are allowed, and the list says so', async () => {
    const { api, asked } = answering({ items: [recordOf('web', 1)], metadata: { continue: 'more' } });
    const listed = await listRecords(api, 'Secret', SHOP, { maxItems: 1 });
    assert.equal(listed.isCut, true);
    assert.equal(listed.items.length, 1);
    assert.equal(asked.length, 1);
  });

  test('are not cut when the last page that is allowed is the last page', async () => {
    const { api } = answering({ items: [recordOf('web', 1)] });
    assert.equal((await listRecords(api, 'Secret', SHOP, { maxItems: 1 })).isCut, false);
  });

  test('of all namespaces are listed without a namespace', async () => {
    const { api, asked } = answering({ items: [] });
    await listRecords(api, 'Secret', { namespace: undefined, names: ['web', 'db'] });
    assert.equal(asked[0]?.path, '/api/v1/secrets');
    assert.equal(asked[0]?.query?.labelSelector, 'owner=helm,name in (web,db)');
  });

  test('with the label of one release and the name of another belong to the release in their name', async () => {
    const { api, asked } = answering({ items: [recordOf('web', 1), recordOf('other', 1)] });
    const { items } = await listRecords(api, 'Secret', { namespace: 'shop', names: ['web'] });
    assert.equal(asked[0]?.query?.labelSelector, 'owner=helm,name=web');
    assert.deepEqual(
      items.map(({ release }) => release),
      ['web'],
    );
  });

  test('of a name that no label can have are none, and nothing is asked', async () => {
    const { api, asked } = answering();
    const { items } = await listRecords(api, 'Secret', { namespace: 'shop', names: ['a,owner!=helm'] });
    assert.deepEqual(items, []);
    assert.deepEqual(asked, []);
  });
});

describe('a Lease and a Namespace', () => {
  test('are undefined when the API server has none', async () => {
    const { api } = answering(new ApiError(404, 'NotFound', 'not found'), new ApiError(404, 'NotFound', 'not found'));
    assert.equal(await readLeaseVersion(api, { namespace: 'shop', name: 'web' }), undefined);
    assert.equal(await readNamespace(api, 'shop'), undefined);
  });

  test('are not taken for missing when the API server refuses to show them', async () => {
    const { api } = answering(new ApiError(403, 'Forbidden', 'forbidden'), new ApiError(403, 'Forbidden', 'forbidden'));
    await assert.rejects(readLeaseVersion(api, { namespace: 'shop', name: 'web' }), ApiError);
    await assert.rejects(readNamespace(api, 'shop'), ApiError);
  });
});
