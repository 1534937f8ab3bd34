import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXIT, Failure, readRefusal, showFailure, toFailure } from '../../../src/cli/failure.ts';
import { ApiError } from '../../../src/kubernetes/api.ts';

const DENIED =
  'admission webhook "records.belay.dev" denied the request: upgrade of release web refused [BelayFrozen]\n  more';

describe('every failure has words and an exit code', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6443'), { code: 'ECONNREFUSED' });
  const cases: readonly [string, unknown, string, number][] = [
    ['its own', new Failure('no', EXIT.lockTimeout), 'Error: no', 75],
    [
      'Belay refuses',
      new ApiError(403, 'Forbidden', DENIED),
      'Error: upgrade of release web refused [BelayFrozen]\n  more',
      77,
    ],
    ['RBAC refuses', new ApiError(403, 'Forbidden', 'secrets is forbidden'), 'Error: secrets is forbidden', 77],
    [
      'another webhook refuses',
      new ApiError(403, 'Forbidden', 'admission webhook "other.example" denied the request: x'),
      'Error: admission webhook "other.example" denied the request: x',
      77,
    ],
    [
      'not signed in',
      new ApiError(401, 'Unauthorized', 'Unauthorized'),
      'Error: the cluster does not know these credentials: Unauthorized',
      77,
    ],
    ['gone', new ApiError(404, 'NotFound', 'secrets "x" not found'), 'Error: secrets "x" not found', 1],
    [
      'nobody answers',
      new ApiError(
        0,
        'Unreachable',
        'the API server did not answer: fetch failed',
        new TypeError('fetch failed', { cause: refused }),
      ),
      'Error: cannot reach the cluster: connect ECONNREFUSED 127.0.0.1:6443',
      69,
    ],
    [
      'none of its addresses answers',
      new ApiError(0, 'Unreachable', 'x', new TypeError('fetch failed', { cause: new AggregateError([refused]) })),
      'Error: cannot reach the cluster: connect ECONNREFUSED 127.0.0.1:6443',
      69,
    ],
    ['a mistake of its own', new TypeError('x is not a function'), 'Error: x is not a function', 1],
    ['thrown by others', 'text', 'Error: text', 1],
    ['hostile', new ApiError(500, '', 'a\u001b[31mb\u202ec'), 'Error: a\\u001b[31mb\\u202ec', 1],
  ];
  for (const [what, error, shown, exitCode] of cases)
    test(what, () => {
      const failure = toFailure(error);
      assert.equal(showFailure(failure), shown);
      assert.equal(failure.exitCode, exitCode);
    });

  test('no exit code means success', () =>
    assert.ok(Object.values(EXIT).every((code: number) => code > 0 && code < 126)));
});

test('a refusal of Belay tells its code', () => {
  assert.deepEqual(readRefusal(new ApiError(403, 'Forbidden', DENIED))?.code, 'BelayFrozen');
  assert.equal(readRefusal(new ApiError(403, 'Forbidden', 'secrets is forbidden')), undefined);
  assert.equal(readRefusal(new Error(DENIED)), undefined);
});
