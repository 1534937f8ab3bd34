import fc from 'fast-check';
import { PAYLOAD_BOUNDS } from '../../../src/helm/payload.ts';

/** A JSON value as text, and what it would cost to parse it, counted as it is written. */
export interface Shape {
  readonly words: string;
  readonly json: string;
  readonly values: number;
  readonly depth: number;
  /** Bytes that stand in strings that are long enough to be kept apart. */
  readonly longBytes: number;
}

/** From a handful to some millions, each size as often as the next. */
const count = (max: number): fc.Arbitrary<number> =>
  fc.double({ min: 0, max: Math.log10(max), noNaN: true }).map((power) => Math.floor(10 ** power));

const ITEMS: readonly (readonly [json: string, values: number, depth: number])[] = [
  ['{}', 1, 1],
  ['[]', 1, 1],
  ['{"a":1}', 2, 1],
  ['{"a":{"b":[]}}', 3, 3],
  ['0', 1, 0],
  ['-1.5e-7', 1, 0],
  ['""', 1, 0],
  ['"\\u0061\\n"', 1, 0],
  ['null', 1, 0],
  ['"日本😀"', 1, 0],
];

/** How large the shapes get. */
interface Sizes {
  readonly items: number;
  readonly depth: number;
  readonly characters: number;
  readonly spaces: number;
  readonly keys: number;
}

/** Far beyond each of the bounds. */
const COSTLY: Sizes = { items: 4_000_000, depth: 100_000, characters: 20_000_000, spaces: 20_000_000, keys: 3_000 };
/** Two of these together are within each of the bounds. */
const MODEST: Sizes = { items: 20_000, depth: 100, characters: 2_000_000, spaces: 100_000, keys: 300 };

/** The text of a payload may be 32 MiB long. Some shapes are longer than that. */
const MOST_BYTES = 36 * 1024 * 1024;

const many = ({ items }: Sizes): fc.Arbitrary<Shape> =>
  fc.tuple(fc.constantFrom(...ITEMS), count(items), fc.boolean()).map(([[item, values, depth], wanted, keyed]) => {
    const room = Math.floor(MOST_BYTES / (Buffer.byteLength(item) + (keyed ? 12 : 1)));
    const times = Math.min(wanted, room);
    const json = keyed
      ? `{${Array.from({ length: times }, (_, index) => `"k${index}":${item}`).join()}}`
      : `[${`${item},`.repeat(times - 1)}${item}]`;
    return {
      words: `${times} of ${item} in ${keyed ? 'an object' : 'a list'}`,
      json,
      values: 1 + times * values,
      depth: 1 + depth,
      longBytes: 0,
    };
  });

const deep = ({ depth: deepest }: Sizes): fc.Arbitrary<Shape> =>
  fc
    .tuple(
      fc.constantFrom<readonly [string, string]>(['[', ']'], ['{"a":', '}'], ['[1,', ']'], ['{"__proto__":', '}']),
      count(deepest),
    )
    .map(([[open, close], depth]) => ({
      words: `${open}...${close} ${depth} deep`,
      json: `${open.repeat(depth)}0${close.repeat(depth)}`,
      values: 1 + depth * (open === '[1,' ? 2 : 1),
      depth,
      longBytes: 0,
    }));

const text = ({ characters }: Sizes): fc.Arbitrary<Shape> =>
  fc
    .tuple(
      fc.constantFrom(
        'x',
        '\\n',
        '\\\\',
        '\\"',
        '\\u0000',
        '\\ud83d\\ude00',
        'é',
        '日',
        '😀',
        '{"a":['.replaceAll('"', '\\"'),
      ),
      count(characters),
    )
    .map(([character, wanted]) => {
      const each = Buffer.byteLength(character);
      const times = Math.min(wanted, Math.floor(MOST_BYTES / each));
      const bytes = times * each;
      return {
        words: `a text of ${times} times ${character}`,
        json: `"${character.repeat(times)}"`,
        values: 1,
        depth: 0,
        longBytes: bytes >= PAYLOAD_BOUNDS.longBytes ? bytes : 0,
      };
    });

const spaces = ({ spaces: most }: Sizes): fc.Arbitrary<Shape> =>
  fc.tuple(fc.constantFrom(' ', '\n', '\t', '\r\n'), count(most)).map(([space, times]) => ({
    words: `${times} times ${JSON.stringify(space)} before a value`,
    json: `${space.repeat(times)}1`,
    values: 1,
    depth: 0,
    longBytes: 0,
  }));

const longKeys = ({ keys: most }: Sizes): fc.Arbitrary<Shape> =>
  fc.tuple(count(most), count(most)).map(([keys, length]) => ({
    words: `${keys} keys of ${length} characters`,
    json: `{${Array.from({ length: keys }, (_, index) => `"${index}${'k'.repeat(length)}":1`).join()}}`,
    values: 1 + keys,
    depth: 1,
    longBytes: 0,
  }));

const numbers: fc.Arbitrary<Shape> = fc
  .constantFrom('1e999', '-1e999', '1e-999', '9007199254740993', '1'.repeat(300), `0.${'3'.repeat(400)}`, '-0', '1E+2')
  .map((json) => ({ words: `the number ${json.slice(0, 20)}`, json, values: 1, depth: 0, longBytes: 0 }));

/** Keys that a chart's values may have, and that are no fields of Helm's there. */
const keys: fc.Arbitrary<Shape> = fc
  .subarray(['Name', 'MANIFEST', 'config', '__proto__', 'constructor', 'toString', '', 'release', 'long-string-'])
  .map((chosen) => ({
    words: `the keys ${chosen.join()}`,
    json: `{${chosen.map((key) => `${JSON.stringify(key)}:{"name":${JSON.stringify(key)}}`).join()}}`,
    values: 1 + chosen.length * 2,
    depth: 2,
    longBytes: 0,
  }));

const shapeOf = (sizes: Sizes): fc.Arbitrary<Shape> =>
  fc.oneof(
    { weight: 4, arbitrary: many(sizes) },
    { weight: 2, arbitrary: deep(sizes) },
    { weight: 3, arbitrary: text(sizes) },
    { weight: 1, arbitrary: spaces(sizes) },
    { weight: 2, arbitrary: longKeys(sizes) },
    { weight: 1, arbitrary: numbers },
    { weight: 1, arbitrary: keys },
  );

export const costlyShape: fc.Arbitrary<Shape> = shapeOf(COSTLY);
export const modestShape: fc.Arbitrary<Shape> = shapeOf(MODEST);
