import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { textPiecesOf } from '../../../src/helm/json-string.ts';

const LETTERS = ['a', '\n', '"', '\\', '\\\\', 'é', '€', '😀', 'u', 'n', '\u2028', '\u0000'] as const;
const text = fc.array(fc.constantFrom(...LETTERS), { maxLength: 200 }).map((letters) => letters.join(''));

/** As Go or another encoder may write it: each letter as it is, or escaped. */
const escapeAll = (value: string): string =>
  [...value]
    .flatMap((letter) => letter.split(''))
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

test('a text that is decoded piece by piece is the text that is decoded as a whole', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 16, max: 64 }), fc.boolean(), (value, pieceBytes, isEscaped) => {
      const written = isEscaped ? escapeAll(value) : JSON.stringify(value).slice(1, -1);
      assert.equal([...textPiecesOf(Buffer.from(written), pieceBytes)].join(''), value);
    }),
  );
});

test('no piece is longer than was asked for', () => {
  const bytes = Buffer.from('\\\\'.repeat(50_000));
  for (const piece of textPiecesOf(bytes, 1024)) assert.ok(piece.length <= 1024);
});
