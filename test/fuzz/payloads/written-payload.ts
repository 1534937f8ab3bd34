import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { MAX_PAYLOAD_BYTES, PAYLOAD_BOUNDS } from '../../../src/helm/payload.ts';
import type { RecordKind } from '../../memory/record.ts';
import { costlyShape, modestShape, type Shape } from './shapes.ts';

/** `either` is for what stands at a bound, and for what two readers of JSON may read in two ways. */
export type Fate = 'read' | 'refused' | 'either';

/** A payload as somebody writes it into a record. */
export interface WrittenPayload {
  readonly words: string;
  readonly kind: RecordKind;
  readonly encoded: string;
  /** What of it is honest JSON. */
  readonly json: string;
  readonly fate: Fate;
}

const STATUS = 'deployed';

/** How large the rest of a payload is, at most. */
const SKELETON = { values: 60, depth: 5, bytes: 2_000 } as const;

export const MANIFEST_OBJECTS = 3;

/** Small objects, as JSON, which is YAML. */
const manifestOf = (more: string): string =>
  Array.from(
    { length: MANIFEST_OBJECTS },
    (_, index) =>
      `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `c${index}` }, data: { more } })}\n`,
  ).join('');

interface Parts {
  readonly config: string;
  readonly values: string;
  readonly template: string;
  readonly manifest: string;
}

/** Where a twist is put in: `root` before the first member of the release, and so on. */
type Place = 'root' | 'info' | 'chart' | 'metadata' | 'hook' | 'config';

const releaseText = ({ config, values, template, manifest }: Parts, twists: Partial<Record<Place, string>>): string => {
  const at = (place: Place): string => twists[place] ?? '';
  return [
    `{${at('root')}"name":"web","namespace":"shop","version":3,`,
    `"info":{${at('info')}"first_deployed":"2026-11-21T12:00:00Z","deleted":"","status":"${STATUS}"},`,
    `"chart":{${at('chart')}"metadata":{${at('metadata')}"name":"shop","version":"1.4.0","apiVersion":"v2"},`,
    `"templates":[{"name":"t","data":${template}}],"values":{"given":${values}}},`,
    `"config":{${at('config')}"given":${config}},"manifest":${JSON.stringify(manifest)},`,
    `"hooks":[{${at('hook')}"name":"web-test","kind":"Job","path":"p","manifest":"","events":["test"]}]}`,
  ].join('');
};

interface Twist {
  readonly words: string;
  readonly twists: Partial<Record<Place, string>>;
  readonly fate: Fate;
}

const place = fc.constantFrom<Place>('root', 'info', 'chart', 'metadata', 'hook', 'config');

const FIELD_IN: Readonly<Record<Place, readonly string[]>> = {
  root: ['name', 'manifest', 'config', 'hooks', 'chart', 'info', 'version', 'namespace'],
  info: ['status', 'deleted', 'first_deployed'],
  chart: ['metadata', 'templates', 'values'],
  metadata: ['name', 'version', 'apiVersion'],
  hook: ['name', 'manifest', 'events', 'kind'],
  config: ['given'],
};

const anyValue = fc.constantFrom('"x"', '1', 'null', '{}', '[]', 'true', '{"a":"b"}', '["a"]');

/** The second value of a key that comes twice is the one that was there. */
const doubled: fc.Arbitrary<Twist> = fc
  .tuple(place, fc.nat(), anyValue, fc.constantFrom('', ' ', '\n'))
  .map(([where, which, value, space]) => {
    const fields = FIELD_IN[where];
    const field = fields[which % fields.length] ?? '';
    return {
      words: `the key ${field} twice, first as ${value}`,
      twists: { [where]: `"${field}"${space}:${value},` },
      fate: 'refused' as const,
    };
  });

const SPELLINGS: readonly ((field: string) => string)[] = [
  (field) => field.toUpperCase(),
  (field) => field.charAt(0).toUpperCase() + field.slice(1),
  (field) => field.replace('s', '\u017f'),
  (field) => field.replace('k', '\u212a'),
];

const respelt: fc.Arbitrary<Twist> = fc
  .tuple(place, fc.nat(), fc.constantFrom(...SPELLINGS), anyValue)
  .map(([where, which, spell, value]) => {
    const fields = FIELD_IN[where];
    const field = fields[which % fields.length] ?? '';
    const spelt = spell(field);
    // A user's values have keys in any case.
    const fate = spelt === field ? ('refused' as const) : where === 'config' ? ('read' as const) : ('refused' as const);
    return { words: `${spelt} beside ${field}`, twists: { [where]: `"${spelt}":${value},` }, fate };
  });

/** Fields of Helm that the skeleton leaves out, with values that Go does not decode into them. */
const GO_TYPES: readonly (readonly [Place, string])[] = [
  ['root', '"apply_method":1,'],
  ['info', '"last_deployed":1,'],
  ['info', '"last_deployed":"yesterday",'],
  ['info', '"description":{},'],
  ['info', '"notes":[],'],
  ['info', '"resources":[1],'],
  ['chart', '"files":"x",'],
  ['chart', '"lock":[],'],
  ['chart', '"schema":{},'],
  ['metadata', '"keywords":"x",'],
  ['metadata', '"deprecated":"true",'],
  ['metadata', '"annotations":{"a":true},'],
  ['metadata', '"dependencies":[1],'],
  ['hook', '"weight":"1",'],
  ['hook', '"weight":1.5,'],
  ['hook', '"last_run":1,'],
  ['hook', '"delete_policies":"x",'],
];

const mistyped: fc.Arbitrary<Twist> = fc.constantFrom(...GO_TYPES).map(([where, member]) => ({
  words: `${member} in ${where}`,
  twists: { [where]: member },
  fate: 'refused',
}));

/** An empty field of a struct comes and goes with the version of Helm that encodes it, so this one is never empty. */
const unknown: fc.Arbitrary<Twist> = fc
  .tuple(place, fc.constantFrom('"x"', '1', 'true', '{"a":"b"}', '["a"]'))
  .map(([where, value]) => ({
    words: `a field that nobody knows in ${where}`,
    twists: { [where]: `"x-unknown":${value},` },
    fate: 'read',
  }));

const HONEST: Twist = { words: '', twists: {}, fate: 'read' };

const twist: fc.Arbitrary<Twist> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(HONEST) },
  { weight: 2, arbitrary: doubled },
  { weight: 2, arbitrary: respelt },
  { weight: 1, arbitrary: mistyped },
  { weight: 1, arbitrary: unknown },
);

interface Encoding {
  readonly words: string;
  readonly encode: (json: string, kind: RecordKind) => string;
  readonly fate: Fate;
}

const once = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64');
const zip = (json: string): Buffer => gzipSync(json, { level: 1 });
/** Base64, twice in a Secret. */
const wrap = (bytes: Buffer | string, kind: RecordKind): string =>
  kind === 'Secret' ? once(once(bytes)) : once(bytes);
const otherKind = (kind: RecordKind): RecordKind => (kind === 'Secret' ? 'ConfigMap' : 'Secret');

const ENCODINGS: readonly Encoding[] = [
  { words: 'as Helm encodes it', encode: (json, kind) => wrap(zip(json), kind), fate: 'read' },
  { words: 'without gzip, as Helm 2 did', encode: (json, kind) => wrap(json, kind), fate: 'read' },
  { words: 'encoded for the other kind', encode: (json, kind) => wrap(zip(json), otherKind(kind)), fate: 'refused' },
  { words: 'with one more base64', encode: (json, kind) => once(wrap(zip(json), kind)), fate: 'refused' },
  { words: 'with gzip twice', encode: (json, kind) => wrap(gzipSync(zip(json)), kind), fate: 'refused' },
  { words: 'with its gzip cut off', encode: (json, kind) => wrap(zip(json).subarray(0, -9), kind), fate: 'refused' },
  {
    words: 'with a false length in its gzip',
    encode: (json, kind) => {
      const bytes = zip(json);
      bytes.writeUInt32LE(0xffff_fff0, bytes.length - 4);
      return wrap(bytes, kind);
    },
    fate: 'refused',
  },
  {
    words: 'in two members of gzip',
    encode: (json, kind) => wrap(Buffer.concat([zip(json.slice(0, 99)), zip(json.slice(99))]), kind),
    fate: 'read',
  },
  { words: 'doubled', encode: (json, kind) => wrap(Buffer.concat([zip(json), zip(json)]), kind), fate: 'refused' },
  { words: 'with a word behind it', encode: (json, kind) => wrap(zip(`${json} x`), kind), fate: 'refused' },
  {
    words: 'before 200 MB of zeros',
    encode: (_json, kind) => wrap(zip('\0'.repeat(200_000_000)), kind),
    fate: 'refused',
  },
];

const encoding = fc.oneof(
  { weight: 5, arbitrary: fc.constant(ENCODINGS[0] as Encoding) },
  { weight: 4, arbitrary: fc.constantFrom(...ENCODINGS) },
);

/** What the shapes come to with the rest of the payload, held against the bounds; near a bound it is either. */
const fateOfShapes = (shapes: readonly Shape[], bytes: number): Fate => {
  const values = shapes.reduce((sum, each) => sum + each.values, 0);
  const depth = Math.max(...shapes.map((each) => each.depth));
  const other = bytes - shapes.reduce((sum, each) => sum + each.longBytes, 0);
  const { maxValues, maxDepth, maxOtherBytes } = PAYLOAD_BOUNDS;
  if (values > maxValues || depth > maxDepth || other > maxOtherBytes + SKELETON.bytes || bytes > MAX_PAYLOAD_BYTES)
    return 'refused';
  // An empty list or object counts as two.
  const isWell =
    values * 2 + SKELETON.values < maxValues &&
    depth + SKELETON.depth < maxDepth &&
    other < maxOtherBytes - SKELETON.bytes;
  return isWell ? 'read' : 'either';
};

/** Go refuses a number that is too large for a float64. */
const fateOfNumber = ({ json }: Shape): Fate =>
  Number.isFinite(Number(json)) || json.length > 20 || !/^-?\d/.test(json) ? 'read' : 'refused';

const isRefused = (fates: readonly Fate[]): Fate =>
  fates.includes('refused') ? 'refused' : fates.includes('either') ? 'either' : 'read';

const SMALL: Shape = { words: '', json: '{}', values: 1, depth: 1, longBytes: 0 };
const template = fc.constantFrom('""', '"e30="', `"${'eHh4'.repeat(400)}"`);

interface Given {
  readonly kind: RecordKind;
  readonly config: Shape;
  readonly values: Shape;
  readonly template: string;
  readonly manifest: string;
  readonly twist: Twist;
  readonly encoding: Encoding;
}

const write = ({
  kind,
  config,
  values,
  template: data,
  manifest,
  twist: twisted,
  encoding: how,
}: Given): WrittenPayload => {
  const parts = { config: config.json, values: values.json, template: data, manifest: manifestOf(manifest) };
  const json = releaseText(parts, twisted.twists);
  const words = [config.words, values.words, twisted.words, `in a ${kind}`, how.words].filter((each) => each !== '');
  const fate = isRefused([
    fateOfShapes([config, values], Buffer.byteLength(json)),
    ...[config, values].map(fateOfNumber),
    twisted.fate,
    how.fate,
  ]);
  return { words: words.join(', '), kind, encoded: how.encode(json, kind), json, fate };
};

const kindOfRecord = fc.constantFrom<RecordKind>('Secret', 'ConfigMap');

/** A release whose values hold costly shapes, twisted or not, in one encoding or another. */
export const writtenPayload: fc.Arbitrary<WrittenPayload> = fc
  .record({
    kind: kindOfRecord,
    config: costlyShape,
    values: fc.oneof({ weight: 2, arbitrary: fc.constant(SMALL) }, { weight: 1, arbitrary: costlyShape }),
    template,
    manifest: fc.constant('x'),
    twist,
    encoding,
  })
  .map(write);

/** Two releases of one kind that are within the bounds and honest, each in an encoding that Helm reads. Often they have parts in common. */
export const honestPair: fc.Arbitrary<readonly [WrittenPayload, WrittenPayload]> = kindOfRecord.chain((kind) => {
  const shape = fc.oneof(
    { weight: 1, arbitrary: fc.constant(SMALL) },
    { weight: 1, arbitrary: modestShape.filter((each) => fateOfNumber(each) === 'read') },
  );
  const one = fc
    .record({
      kind: fc.constant(kind),
      config: shape,
      values: shape,
      template,
      manifest: fc.constantFrom('x', 'y', 'z'.repeat(5_000)),
      twist: fc.oneof(fc.constant(HONEST), unknown),
      encoding: fc.constantFrom(...ENCODINGS.filter(({ fate }) => fate === 'read')),
    })
    .map(write);
  return fc.tuple(one, one);
});
