import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileGlob, compileGlobs, GLOB_PATTERN } from '../../../src/policy/name-glob.ts';

const cases: Record<string, { readonly yes: readonly string[]; readonly no: readonly string[] }> = {
  '*': { yes: ['web', 'a.b', '.hidden', 'system:node'], no: [] },
  web: { yes: ['web'], no: ['web-1', 'Web', 'aweb', ''] },
  'web-*': { yes: ['web-1', 'web-a.b.c', 'web-'], no: ['web', 'my-web-1'] },
  '*-db': { yes: ['shop-db', '.x-db', '-db'], no: ['db', 'shop-db-1'] },
  '*canary*': { yes: ['canary', 'web-canary-2', 'a.canary.b'], no: ['canar'] },
  'a?c': { yes: ['abc', 'a.c'], no: ['ac', 'abbc'] },
  'v1.2': { yes: ['v1.2'], no: ['v1x2'] },
  'system:*': { yes: ['system:node'], no: ['system'] },
  '**': { yes: ['web', 'a.b'], no: [] },
};
for (const [glob, { yes, no }] of Object.entries(cases)) {
  test(`glob ${glob}`, () => {
    assert.match(glob, GLOB_PATTERN);
    for (const name of yes) assert.ok(compileGlob(glob)(name), name);
    for (const name of no) assert.ok(!compileGlob(glob)(name), name);
  });
}

test('a name matches several globs where it matches one of them', () => {
  const matches = compileGlobs(['web', 'db-*']);
  assert.deepEqual(['web', 'db-1', 'api'].map(matches), [true, true, false]);
});

for (const glob of ['a*b*c*d', '{a,b}', '[ab]', '!a', '+(a)', 'a/b', 'a b', '(a)', 'a|b', '\\*', 'a\n']) {
  test(`is no glob: ${JSON.stringify(glob)}`, () => assert.doesNotMatch(glob, GLOB_PATTERN));
}

/** A simple matcher, without a regular expression. */
const matchesPlainly = (glob: string, name: string): boolean => {
  const [first, ...rest] = glob;
  if (first === undefined) return name === '';
  if (first === '*') return matchesPlainly(rest.join(''), name) || (name !== '' && matchesPlainly(glob, name.slice(1)));
  return name !== '' && (first === '?' || first === name[0]) && matchesPlainly(rest.join(''), name.slice(1));
};

test('every glob matches as a simple matcher says', () => {
  const characters = (alphabet: string, maxLength: number) =>
    fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength });
  const glob = characters('ab.-:_*?', 8).filter((text) => GLOB_PATTERN.test(text));
  fc.assert(
    fc.property(glob, characters('ab.-:_', 8), (pattern, name) => {
      // picomatch treats a final dot in its own way (`.`, `..`, `*.*`). No name of a release ends with a dot.
      fc.pre(!name.endsWith('.'));
      assert.equal(compileGlob(pattern)(name), matchesPlainly(pattern, name));
    }),
    { numRuns: 2000 },
  );
});
