import { test } from 'node:test';
import fc from 'fast-check';

/** How long each property runs, by `make fuzz FUZZ_SECONDS=...`. Without it, each property runs a fixed number of times. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);
/** Replays an earlier run. Every failure prints its seed. */
const SEED = process.env.FUZZ_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.FUZZ_SEED);

/** As many runs with small inputs take about a second on a busy machine. */
const RUNS = 100;

/** Tests a property with arbitrary inputs. */
export const fuzz = <Ts extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [K in keyof Ts]: fc.Arbitrary<Ts[K]> },
  holds: (...values: Ts) => void | Promise<void>,
  runs = RUNS,
): void => {
  test(name, async (t) => {
    if (SECONDS > 0) t.diagnostic(`FUZZ_SEED=${SEED}`);
    const bounds =
      SECONDS > 0
        ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false }
        : { numRuns: runs };
    let ran = 0;
    try {
      await fc.assert(
        fc.asyncProperty<Ts>(...arbitraries, async (...values) => {
          ran += 1;
          await holds(...values);
        }),
        { ...bounds, seed: SEED },
      );
    } catch (error) {
      throw new Error(`found with FUZZ_SEED=${SEED}: ${(error as Error).message}`, { cause: error });
    }
    if (SECONDS > 0) t.diagnostic(`${ran} runs`);
    const polluted = Object.keys(Object.prototype);
    if (polluted.length > 0) throw new Error(`Object.prototype has got ${polluted.join()}`);
  });
};

/** Keys that have a meaning in JavaScript, Kubernetes, JSON Pointer or a terminal. */
export const key = fc.oneof(
  fc.constantFrom(
    ...[
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'hasOwnProperty',
      'length',
      '',
      '0',
      '-1',
      '*',
      '~',
      '~1',
      'a/b',
    ],
    ...[
      'name',
      'metadata',
      'annotations',
      'labels',
      'managedFields',
      'fieldsV1',
      'ownerReferences',
      'uid',
      'f:a',
      'k:{}',
      '<<',
    ],
    ...[
      'data',
      'release',
      'spec',
      'containers',
      'ports',
      'protocol',
      '\ud800',
      '\ufeff',
      '\u202e',
      '\u001b[2J',
      '\u009b',
    ],
  ),
  fc.string({ maxLength: 6, unit: 'binary' }),
);

/** Text that tries to deceive a terminal, a parser or a reader. */
export const hostileText = fc.oneof(
  fc.constantFrom(
    ...[
      '\u001b]0;title\u0007',
      '\u001b[2J\u001b[H',
      '\u009b31m',
      'a\nError: forged',
      'a\r\nb',
      '\u202egnp.exe',
      '\u2066\u2069',
    ],
    ...[
      '\u200b',
      '\ud800',
      '\udc00x',
      '\u2028',
      '\u0000',
      '\u007f',
      '\u0085',
      '\u{e0041}',
      'é日😀',
      'x'.repeat(3000),
      '"\\"',
      '$(id)',
      '`id`',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
);

const scalar = fc.oneof(
  hostileText,
  fc.constantFrom(null, true, false, 0, -0, 1e308, -1e-308, 2 ** 53, '1000m', '1', '1Gi', '5m0s', ''),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** An object as JSON.parse makes it: `__proto__` is an own key. */
const toObject = (entries: readonly (readonly [string, unknown])[]): Record<string, unknown> =>
  Object.fromEntries(entries);

/** Any JSON value. Some of its lists have items with names. */
export const { value: json, map: jsonMap } = fc.letrec<{ value: unknown; map: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'json' },
    scalar,
    tie('map'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('map'), { maxLength: 4 }).map((items) => items.map((item, i) => ({ ...item, name: `n${i % 3}` }))),
  ),
  map: fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map(toObject),
}));

/** A text of which some bytes are changed, doubled or cut off. */
export const mutated = (texts: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      texts,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('set', 'cut', 'double', 'swap'), fc.uint8Array({ maxLength: 4 })), {
        maxLength: 4,
      }),
    )
    .map(([text, changes]) => {
      let bytes = Buffer.from(text);
      for (const [place, how, more] of changes) {
        const at = bytes.length === 0 ? 0 : place % bytes.length;
        const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
        if (how === 'set') bytes = Buffer.concat([head, more, tail.subarray(more.length)]);
        else if (how === 'cut') bytes = Buffer.from(head);
        else if (how === 'double') bytes = Buffer.concat([bytes, tail]);
        else bytes = Buffer.concat([tail, more, head]);
      }
      return bytes;
    });

/** All values in a JSON tree. */
export const countNodes = (value: unknown): number => {
  const open: unknown[] = [value];
  let count = 0;
  for (; open.length > 0; count += 1) {
    const next = open.pop();
    if (typeof next === 'object' && next !== null) open.push(...Object.values(next));
  }
  return count;
};
