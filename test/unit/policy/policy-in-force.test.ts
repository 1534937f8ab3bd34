import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileSelector, type LabelSelector } from '../../../src/kubernetes/label-selector.ts';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { builtInPolicy, policyInForce } from '../../../src/policy/policy-in-force.ts';

const BUILT_IN = builtInPolicy(600_000);

const policy = (name: string, spec: object): Policy => {
  const parsed = parsePolicy({ metadata: { name }, spec }, { staleAfterMs: 600_000 });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.policy;
};

const production = { namespaceSelector: { matchLabels: { env: 'production' } } };
const web = { releases: ['web', 'web-*'] };

/** The specs of policies by name, and the name of the policy in force for a release, such as `web production`. */
const cases: Record<string, readonly [specs: Record<string, object>, inForce: Partial<Record<string, string>>]> = {
  'no policy: the built-in one': [{}, { 'web production': 'built-in', 'db elsewhere': 'built-in' }],
  'one policy for everything': [{ all: {} }, { 'web production': 'all', 'db elsewhere': 'all' }],
  'only the policy of highest priority': [
    { all: { priority: 1 }, low: { priority: -1 }, high: { priority: 10 } },
    { 'web production': 'high', 'db elsewhere': 'high' },
  ],
  'a policy without a priority has priority 0': [
    { above: { priority: 1 }, none: {}, below: { priority: -1 } },
    { 'web production': 'above' },
  ],
  'of equal priorities, the name that comes first in byte order': [
    { b: { priority: 3 }, a: { priority: 3 }, 'a-1': { priority: 3 }, 'a.1': { priority: 3 } },
    { 'web production': 'a' },
  ],
  '- comes before . and 1 before a': [{ 'x.1': {}, 'x-1': {}, 'x-a': {} }, { 'web production': 'x-1' }],
  'a higher priority for other releases does not count': [
    { all: {}, production: { priority: 5, match: production } },
    { 'web production': 'production', 'web elsewhere': 'all' },
  ],
  'both conditions must hold': [
    { all: {}, both: { priority: 5, match: { ...production, ...web } } },
    { 'web production': 'both', 'db production': 'all', 'web elsewhere': 'all' },
  ],
  'no policy that matches: the built-in one': [
    { production: { match: production } },
    { 'web production': 'production', 'web elsewhere': 'built-in' },
  ],
};

describe('the policy in force', () => {
  for (const [name, [specs, expected]] of Object.entries(cases)) {
    test(name, () => {
      const policies = Object.entries(specs).map(([policyName, spec]) => policy(policyName, spec));
      for (const [asked, inForce] of Object.entries(expected)) {
        const [release = '', namespace = ''] = asked.split(' ');
        for (const inOrder of [policies, policies.toReversed()]) {
          const found = policyInForce(inOrder, { name: release }, { env: namespace }, BUILT_IN);
          assert.equal(found.name ?? 'built-in', inForce, asked);
        }
      }
    });
  }
});

const LABELS = { env: 'production', team: 'shop', empty: '' };
const key = (
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
  name: string,
  ...values: string[]
): LabelSelector => ({
  matchExpressions: [{ key: name, operator, values }],
});

describe('namespaces by their labels', () => {
  const selectors: Record<string, readonly [LabelSelector, boolean]> = {
    'nothing said selects all': [{}, true],
    'a label that is there': [{ matchLabels: { env: 'production' } }, true],
    'all labels must be there': [{ matchLabels: { env: 'production', team: 'other' } }, false],
    'an empty label is there': [{ matchLabels: { empty: '' } }, true],
    'an absent label is not an empty one': [{ matchLabels: { absent: '' } }, false],
    'what every object inherits is no label': [key('Exists', 'constructor'), false],
    In: [key('In', 'env', 'staging', 'production'), true],
    'In, another value': [key('In', 'env', 'staging'), false],
    'In, absent': [key('In', 'absent', 'x'), false],
    NotIn: [key('NotIn', 'env', 'staging'), true],
    'NotIn, the value': [key('NotIn', 'env', 'production'), false],
    'NotIn, absent': [key('NotIn', 'absent', 'x'), true],
    Exists: [key('Exists', 'empty'), true],
    'Exists, absent': [key('Exists', 'absent'), false],
    DoesNotExist: [key('DoesNotExist', 'absent'), true],
    'DoesNotExist, there': [key('DoesNotExist', 'empty'), false],
    'labels and expressions together': [{ matchLabels: { env: 'production' }, ...key('Exists', 'absent') }, false],
    'a key that no label has': [JSON.parse('{"matchLabels":{"__proto__":"x"}}') as LabelSelector, false],
  };
  for (const [name, [selector, expected]] of Object.entries(selectors)) {
    test(name, () => assert.equal(compileSelector(selector)(LABELS), expected));
  }
});
