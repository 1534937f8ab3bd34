import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeText, quoteText, showName, showPath, showValue } from '../../../src/text/escape.ts';

const quoted: Record<string, readonly [text: string, shown: string]> = {
  'quotes and backslashes as in JSON': ['say "hi" \\ there', '"say \\"hi\\" \\\\ there"'],
  'line breaks and tabs by their short names': ['a\nb\tc\r', '"a\\nb\\tc\\r"'],
  'the escape that begins a terminal sequence': ['\u001b[31mred', '"\\u001b[31mred"'],
  'DEL and C1': ['\u007f\u009b', '"\\u007f\\u009b"'],
  'bidirectional overrides and isolates': ['a\u202eb\u2066c', '"a\\u202eb\\u2066c"'],
  'zero-width and other invisible characters': [
    'a\u200b\u200d\ufeff\u00ad\u3164',
    '"a\\u200b\\u200d\\ufeff\\u00ad\\u3164"',
  ],
  'line and paragraph separators': ['a\u2028b\u2029', '"a\\u2028b\\u2029"'],
  'tags beyond the basic plane': ['\u{e0041}', '"\\udb40\\udc41"'],
  'half a surrogate pair': ['\ud83d', '"\\ud83d"'],
  'letters of any language and emoji as they are': ['naïve 日本 😀', '"naïve 日本 😀"'],
  'what was cut is marked outside the quotes': ['x'.repeat(121), `"${'x'.repeat(120)}"…`],
};
for (const [name, [text, shown]] of Object.entries(quoted)) {
  test(`quoted: ${name}`, () => assert.equal(quoteText(text), shown));
}

const values: Record<string, readonly [value: unknown, shown: string]> = {
  'a field that is not there': [undefined, '(not set)'],
  null: [null, 'null'],
  'a number': [1.5, '1.5'],
  'an object as compact JSON': [{ a: [1, 'two', { b: null }], c: {} }, '{"a":[1,"two",{"b":null}],"c":{}}'],
  'a key called __proto__': [JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
  'invisible characters inside of an object': [{ 'a\u202e': '\u001b' }, '{"a\\u202e":"\\u001b"}'],
};
for (const [name, [value, shown]] of Object.entries(values)) {
  test(`value: ${name}`, () => assert.equal(showValue(value), shown));
}

test('only the beginning of a large or deep object is shown', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  assert.equal(showValue(deep), `${'['.repeat(120)}…`);
  assert.equal(showValue({ blob: 'x'.repeat(3e6) }).length, 121);
});

test('a name that Kubernetes accepts is bare, and any other is quoted', () => {
  assert.equal(showName('system:serviceaccount:shop:deployer'), 'system:serviceaccount:shop:deployer');
  assert.equal(showName('alice, who may'), '"alice, who may"');
  assert.equal(showName(''), '""');
  assert.equal(showPath('metadata.labels[app.kubernetes.io/name]'), 'metadata.labels[app.kubernetes.io/name]');
  assert.equal(showPath('data[a b]'), '"data[a b]"');
});

test('any text is shown as one short line without invisible characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      for (const shown of [
        quoteText(text),
        escapeText(text),
        showName(text),
        showPath(text),
        showValue({ [text]: text }),
      ]) {
        assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
        assert.ok(shown.length <= 500 * 12 + 2);
      }
    }),
  );
});
