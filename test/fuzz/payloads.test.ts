// Longer than 200 lines: the generators of payloads and manifests are as long as the properties.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { refuseAmbiguous } from '../../src/helm/ambiguous.ts';
import { createSameText, cutPayload, textIn } from '../../src/helm/cut-payload.ts';
import { findDocument, parseManifest } from '../../src/helm/manifest.ts';
import {
  changedParts,
  decodePayload,
  PAYLOAD_BOUNDS,
  PayloadError,
  readPayloadText,
  summarize,
} from '../../src/helm/payload.ts';
import { scanJson } from '../../src/helm/scan-json.ts';
import { fuzz, hostileText, json, jsonMap, key, mutated } from './fuzz.ts';

const KINDS = ['Secret', 'ConfigMap'] as const;

/** Reads a payload, or checks that its refusal quotes nothing from it. */
const read = (encoded: string | Buffer): void => {
  for (const kind of KINDS) {
    try {
      const cut = cutPayload(readPayloadText(encoded, kind));
      const payload = decodePayload(encoded, kind);
      const summary = summarize(payload);
      assert.deepEqual(summarize(cut.payload, textIn(cut)), summary);
      assert.deepEqual(changedParts(cut.payload, cut.payload, createSameText(cut, cut)), []);
      for (const value of Object.values(summary)) assert.ok(typeof value === 'string' || typeof value === 'number');
      assert.deepEqual(changedParts(payload, structuredClone(payload)), []);
      if (typeof payload.manifest === 'string') readManifest(payload.manifest);
      refuseAmbiguous(cut.payload, cut.members);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      assert.match(error.message, /^[a-zA-Z0-9 ]{1,60}$/);
    }
  }
};

const depthOf = (value: unknown): number => {
  let [depth, level] = [0, [value]];
  for (; level.length > 0; depth += 1)
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  return depth;
};

const readManifest = (text: string): void => {
  const documents = parseManifest(text);
  for (const { document, group, kind, namespace, name } of documents) {
    assert.ok(depthOf(document) <= 250);
    assert.notEqual(findDocument(documents, 'shop', { group, kind, namespace: namespace || 'shop', name }), undefined);
  }
  structuredClone(documents);
};

const once = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const twice = (bytes: Uint8Array): string => once(Buffer.from(once(bytes)));
const encodings: readonly ((bytes: Uint8Array) => string)[] = [
  once,
  twice,
  (bytes) => once(gzipSync(bytes)),
  (bytes) => twice(gzipSync(bytes)),
];

const release = fc.record(
  {
    name: json,
    namespace: json,
    version: json,
    info: json,
    chart: json,
    config: json,
    manifest: fc.oneof(hostileText, json),
    hooks: json,
  },
  { requiredKeys: [] },
);
const releaseText = fc.tuple(release, jsonMap).map(([known, more]) => JSON.stringify({ ...more, ...known }));

fuzz(
  'any bytes in any encoding are read or refused',
  [fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...encodings)],
  (bytes, encode) => {
    read(Buffer.from(bytes));
    read(encode(bytes));
  },
);
fuzz(
  'any release, whole or damaged, is read alike as text and as bytes',
  [mutated(releaseText), fc.constantFrom(...encodings)],
  (bytes, encode) => {
    const encoded = encode(bytes);
    read(encoded);
    read(Buffer.from(encoded));
  },
);
fuzz(
  'gzip that is cut off, doubled or of several members is read or refused',
  [releaseText, fc.nat(), fc.boolean()],
  (text, cut, twofold) => {
    const gzip = gzipSync(text);
    const bytes = twofold
      ? Buffer.concat([gzip, gzip.subarray(0, cut % (gzip.length + 1))])
      : gzip.subarray(0, cut % (gzip.length + 1));
    read(once(bytes));
    read(twice(bytes));
  },
);

/** Whether a payload is refused as ambiguous. The encoders of Go and JavaScript write no key twice, and change the case of no key. */
const isAmbiguous = (text: string): boolean => {
  try {
    const json = Buffer.from(text);
    const scan = scanJson(json, PAYLOAD_BOUNDS);
    assert.ok(typeof scan === 'object');
    const { payload, members } = cutPayload({ json, scan });
    refuseAmbiguous(payload, members);
    return false;
  } catch (error) {
    assert.ok(error instanceof PayloadError);
    return true;
  }
};
fuzz(
  'a release without a double key is read as it was written',
  [json, json, hostileText],
  (config, values, manifest) => {
    const release = { config: { any: config }, chart: { values: { any: values } }, manifest };
    assert.equal(isAmbiguous(JSON.stringify(release)), false);
    assert.equal(isAmbiguous(JSON.stringify(release, null, 2)), false);
  },
);
fuzz(
  'a key that comes twice is found at any depth',
  [json, key, json, fc.constantFrom('', ' ', '\n\t')],
  (value, name, other, space) => {
    const member = `${JSON.stringify(name)}${space}:${space}`;
    const doubled = `{${member}${JSON.stringify(other)},${member}${JSON.stringify(value)}}`;
    for (const text of [doubled, `{"config":[{"a":${doubled}}]}`, `{"manifest":"\\"{:","chart":{"values":${doubled}}}`])
      assert.equal(isAmbiguous(text), true);
  },
);
fuzz(
  'a field in another spelling is found',
  [fc.constantFrom('name', 'manifest', 'config', 'hooks', 'chart', 'info', 'version'), fc.nat(), json],
  (field, place, value) => {
    const at = place % field.length;
    const letter = field.charAt(at);
    for (const other of [
      letter.toUpperCase(),
      ...(letter === 's' ? ['\u017f'] : []),
      ...(letter === 'k' ? ['\u212a'] : []),
    ]) {
      const spelt = field.slice(0, at) + other + field.slice(at + 1);
      assert.equal(isAmbiguous(JSON.stringify({ [spelt]: value })), true);
    }
  },
);

const yamlPart = fc.oneof(
  fc.constantFrom(
    ...[
      '---\n',
      '--- # x\n',
      '...\n',
      '- ',
      '? ',
      ': ',
      '&a ',
      '*a ',
      '*b\n',
      '!!binary ',
      '!!int ',
      '!<tag:yaml.org,2002:str> ',
      '<<: ',
      '<<: *a\n',
      '<<: [*a, *a]\n',
    ],
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      '|\n',
      '>-\n',
      "'",
      '"',
      '#',
      '\n',
      '  ',
      '\t',
      '\ufeff',
      '%YAML 1.1\n',
      '0o17',
      '0x1F',
      '1_000',
      '.inf',
      '1e400',
      'yes',
      '~',
      '12:30',
    ],
    ...[
      'apiVersion: v1\n',
      'kind: ConfigMap\n',
      'kind: List\n',
      'metadata: {name: a}\n',
      'metadata:\n  name: web\n',
      'items:\n',
      'items: [',
      '__proto__: ',
      'constructor: {a: 1}\n',
    ],
  ),
  hostileText,
);
fuzz(
  'any YAML is read as a list of objects, or left out',
  [fc.array(yamlPart, { maxLength: 40 }).map((parts) => parts.join(''))],
  readManifest,
  1000,
);
fuzz('any object is found in a manifest, as JSON and as YAML', [fc.array(jsonMap, { maxLength: 3 })], (objects) => {
  const text = objects
    .map((object, i) =>
      JSON.stringify({ ...object, apiVersion: 'v1', kind: 'Widget', metadata: { name: `w${i}` }, items: undefined }),
    )
    .join('\n---\n');
  readManifest(text);
  assert.equal(parseManifest(text).length, objects.length);
});
fuzz(
  'a document whose aliases multiply is left out',
  [fc.integer({ min: 1, max: 12 }), fc.integer({ min: 2, max: 12 })],
  (levels, width) => {
    const lines = ['a0: &a0 [x]'];
    for (let level = 1; level <= levels; level += 1)
      lines.push(
        `a${level}: &a${level} [${Array(width)
          .fill(`*a${level - 1}`)
          .join()}]`,
      );
    readManifest(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${lines.join('\n')}\n`);
  },
  30,
);
