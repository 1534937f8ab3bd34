import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isTranslated, shippedWebhooks } from '../../memory/shipped-webhooks.ts';

/**
 * There is no CEL in memory: the conditions of the manifests are translated by hand. Whoever changes one of them changes its translation
 * (test/memory/shipped-webhooks.ts), and the first characters of its sha256 here.
 */
const TRANSLATED: Readonly<Record<string, string>> = {
  'not-the-clusters-own-clean-up': '8a16b704a04b',
  'a-record': '53e3390daae9',
  'a-claim': '4818d1bc72e6',
  'a-belay-annotation-before-or-after': '5cd546ac429d',
  'not-kubernetes-itself': '2ca1ffbd1f48',
  'not-belay-itself': '51a82834d9a2',
  'marked-as-part-of-a-release': '8ae1dee1b9b9',
  'not-of-a-release-in-belays-own-namespace': '6929aa03f851',
  'no-belay-annotation': '4be9cf7c72e9',
  'the-name-of-a-record-alone': 'd0cabc9bfa3f',
};

const conditions = [...shippedWebhooks('mutating'), ...shippedWebhooks('validating')].flatMap(
  ({ matchConditions = [] }) => matchConditions,
);

for (const { name, expression } of conditions) {
  test(`the condition ${name} is the one that was translated`, () => {
    assert.ok(isTranslated(name));
    const digest = createHash('sha256').update(expression.replaceAll(/\s+/g, ' ').trim()).digest('hex');
    assert.equal(digest.slice(0, 12), TRANSLATED[name]);
  });
}
