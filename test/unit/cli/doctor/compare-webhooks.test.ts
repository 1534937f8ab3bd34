import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareWebhooks } from '../../../../src/cli/doctor/compare-webhooks.ts';
import { shippedAt, type Webhook } from '../../../../src/cli/doctor/shipped.ts';

const { validating: shipped } = shippedAt({ namespace: 'belay-system', service: 'belay', serviceAccount: 'belay' });

const named = (name: string): Webhook => {
  const found = shipped.find((webhook) => webhook.name === name);
  assert.ok(found);
  return found;
};

const records = named('records.belay.dev');
const objects = named('objects.belay.dev');
const policies = named('policies.belay.dev');
const conditions = records.matchConditions as readonly { name: string; expression: string }[];
const rules = records.rules as readonly Readonly<Record<string, unknown>>[];
const own = { key: 'kubernetes.io/metadata.name', operator: 'NotIn' };

const compare = (webhook: Webhook, change: Readonly<Record<string, unknown>>): readonly string[] =>
  compareWebhooks([webhook], [{ ...webhook, ...change }]).map(({ weight, text }) => `${weight}: ${text}`);

test('the shipped webhooks have no drift', () => assert.deepEqual(compareWebhooks(shipped, shipped), []));

test('defaults of the API server and another order are no drift', () => {
  const filled = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, matchConditions: [] };
  assert.deepEqual(compare(policies, filled), []);
  const [rule = {}] = rules;
  const turned = { ...rule, resources: ['configmaps', 'secrets'], operations: ['DELETE', 'UPDATE', 'CREATE'] };
  assert.deepEqual(compare(records, { rules: [turned] }), []);
  assert.deepEqual(compare(records, { matchConditions: [...conditions].reverse() }), []);
});

describe('whether a difference lets writes pass by Belay', () => {
  const [clean, record] = conditions;
  const cases: readonly [what: string, webhook: Webhook, change: Readonly<Record<string, unknown>>, said: string][] = [
    ['open', records, { failurePolicy: 'Ignore' }, 'opens: failurePolicy: "Fail" -> "Ignore"'],
    ['closed, of a policy', policies, { failurePolicy: 'Fail' }, 'differs: failurePolicy: "Ignore" -> "Fail"'],
    ['slower', records, { timeoutSeconds: 30 }, 'differs: timeoutSeconds: 10 -> 30'],
    ['exact', records, { matchPolicy: 'Exact' }, 'opens: matchPolicy: "Equivalent" -> "Exact"'],
    [
      'a condition fewer',
      records,
      { matchConditions: [record] },
      `differs: matchConditions[${clean?.name}] is missing`,
    ],
    [
      'a condition more',
      records,
      { matchConditions: [...conditions, { name: 'never', expression: 'false' }] },
      'opens: matchConditions[never] was added',
    ],
    [
      'another label',
      records,
      { objectSelector: { matchLabels: { owner: 'me' } } },
      'opens: objectSelector: {"matchLabels":{"owner":"helm"}} -> {"matchLabels":{"owner":"me"}}',
    ],
    [
      'a namespace more',
      records,
      { namespaceSelector: { matchExpressions: [{ ...own, values: ['dev', 'belay-system'] }] } },
      'differs: namespaceSelector leaves out more: dev',
    ],
    ['a URL', records, { clientConfig: { url: 'https://x' } }, 'opens: clientConfig.url: (not set) -> "https://x"'],
    [
      'no rule',
      records,
      { rules: [] },
      'opens: rules: CREATE,DELETE,UPDATE of configmaps,secrets (group core) is missing',
    ],
    [
      'a rule more',
      records,
      { rules: [...rules, { ...rules[0], resources: ['pods'] }] },
      'differs: rules: CREATE,DELETE,UPDATE of pods (group core) was added',
    ],
  ];
  for (const [what, webhook, change, said] of cases)
    test(what, () => assert.deepEqual(compare(webhook, change), [said]));

  test('every namespace, in another way', () => {
    const narrow = { matchExpressions: [{ ...own, values: ['belay-system'] }], matchLabels: { a: 'b' } };
    for (const selector of [narrow, { matchExpressions: [{ ...own, values: ['dev'] }] }, { matchLabels: { a: 'b' } }])
      assert.match(compare(records, { namespaceSelector: selector }).join(), /^opens: namespaceSelector: /);
  });

  test('closed as by the overlay strict', () => assert.deepEqual(compare(objects, { failurePolicy: 'Fail' }), []));
});

test('a missing webhook and a foreign one are reported', () => {
  const found = compareWebhooks(shipped, [...shipped.slice(1), { name: 'x\u001b.example.com' }]);
  assert.deepEqual(
    found.map(({ webhook, weight, text }) => `${webhook} ${weight}: ${text}`),
    ['records.belay.dev opens: is missing', '"x\\u001b.example.com" differs: is none of this version'],
  );
});
