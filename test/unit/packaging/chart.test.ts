import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { chartFiles } from '../../../packaging/chart-files.ts';
import { describeValues } from '../../../packaging/chart-readme.ts';
import { ROOT, readProduct } from '../../../packaging/product.ts';

const read = (path: string): Promise<string> => readFile(join(ROOT, 'manifests/chart', path), 'utf8');

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly type?: string;
}

const values = parse(await read('values.yaml')) as Record<string, unknown>;
const schema = JSON.parse(await read('values.schema.json')) as Schema;

test('generated files are up to date', async () => {
  for (const [path, text] of Object.entries(await chartFiles()))
    assert.equal(await readFile(join(ROOT, path), 'utf8'), text, `${path} is out of date: run \`make generate\``);
});

test('the chart has the version of the product', async () => {
  const { version } = await readProduct();
  const chart = parse(await read('Chart.yaml')) as { version: string; appVersion: string };
  assert.deepEqual([chart.version, chart.appVersion], [version, version]);
});

/** Paths of all keys; of what the schema does not describe by key, the whole. */
const keysOf = (value: unknown, described: Schema | undefined, path: string): readonly string[] => {
  const properties = described?.properties;
  if (properties === undefined || typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, child]) => keysOf(child, properties[key], `${path}.${key}`));
};

const schemaKeys = (described: Schema, path: string): readonly string[] =>
  described.properties === undefined
    ? [path]
    : Object.entries(described.properties).flatMap(([key, child]) => schemaKeys(child, `${path}.${key}`));

test('the values and their schema know the same keys', () => {
  // Helm hands `global` to every chart, and claims of resources are nothing to have a default.
  const inSchema = schemaKeys(schema, '').filter((path) => path !== '.global' && path !== '.resources.claims');
  assert.deepEqual([...keysOf(values, schema, '')].sort(), inSchema.sort());
});

test('the schema refuses unknown keys wherever it names keys', () => {
  const open = (described: Schema, path: string): readonly string[] => [
    ...(described.properties !== undefined && described.additionalProperties !== false ? [path] : []),
    ...Object.entries(described.properties ?? {}).flatMap(([key, child]) => open(child, `${path}.${key}`)),
  ];
  assert.deepEqual(open(schema, ''), []);
});

test('every value is described, by itself or by the value around it', async () => {
  const described = describeValues(await read('values.yaml')).map(({ path }) => `.${path}`);
  const undescribed = keysOf(values, schema, '').filter(
    (path) => !described.some((other) => path === other || path.startsWith(`${other}.`)),
  );
  assert.deepEqual(undescribed, []);
});

test('every value is used by a template', async () => {
  const names = (await readdir(join(ROOT, 'manifests/chart/templates'))).map((name) => `templates/${name}`);
  const text = (await Promise.all(names.map(read))).join('\n');
  const unused = keysOf(values, schema, '')
    .map((path) => path.split('.').at(-1) ?? '')
    .filter((name) => !new RegExp(`[."]${name}\\b`).test(text));
  assert.deepEqual(
    unused.filter((name) => !['requests', 'limits'].includes(name)),
    [],
  );
});

describe('values are described by the comments above them', () => {
  test('nested keys have comments too, and comments of the file belong to no key', () => {
    const text = ['# The file.', '', '# First.', 'a: 1', 'b:', '  # Second,', '  # in two lines.', '  c: [x]', 'd: 2'];
    assert.deepEqual(describeValues(text.join('\n')), [
      { path: 'a', fallback: 1, meaning: 'First.' },
      { path: 'b.c', fallback: ['x'], meaning: 'Second, in two lines.' },
    ]);
  });
});
