import { gzipSync } from 'node:zlib';

/**
 * The questions of the table of payloads. What both Helms read out of them is in payloads.json: `node test/tables/write-payloads.ts` writes it, a unit
 * test holds Belay's decoder to it, and a cluster test asks Helm's own storage packages again.
 */

export interface PayloadQuestion {
  readonly name: string;
  /** As a ConfigMap holds it. */
  readonly payload: string;
}

/** What a Helm reads out of a payload; null where it cannot read it. */
export interface ReadPayload {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly status: string;
  readonly chartName: string;
  readonly chartVersion: string;
  readonly manifest: string;
}

export interface PayloadAnswer {
  readonly helm3: ReadPayload | null;
  readonly helm4: ReadPayload | null;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const LONG = 'x'.repeat(3_000);

const TIME = '2026-11-21T12:00:00.123456789+01:00';

/** With every field that a Helm knows. */
const RELEASE = {
  name: 'web',
  info: {
    first_deployed: TIME,
    last_deployed: TIME,
    deleted: '',
    description: 'Upgrade complete',
    status: 'deployed',
    rollback_revision: 1,
    notes: 'a < b',
    resources: null,
  },
  chart: {
    metadata: {
      ...{ name: 'shop', home: 'h', sources: ['s'], version: '1.4.0', description: 'd', keywords: ['k'] },
      ...{ maintainers: [{ name: 'ann', email: 'e', url: 'u' }], icon: 'i', apiVersion: 'v2', condition: 'c' },
      ...{ tags: 't', appVersion: '1.27', deprecated: false, annotations: { a: 'b' }, kubeVersion: '>=1.30' },
      dependencies: [
        ...[{ name: 'db', version: '1', repository: 'r', condition: 'c', tags: ['t'], enabled: true }],
        { name: 'mq', 'import-values': ['a', { child: 'b', parent: 'c' }], alias: 'queue' },
      ],
      type: 'application',
    },
    lock: { generated: TIME, digest: 'sha256:0', dependencies: [{ name: 'db', version: '1', repository: 'r' }] },
    templates: [{ name: 'templates/a.yaml', data: base64(LONG), modtime: TIME }],
    values: { replicas: 2, ratio: 0.5, version: 1.5, weight: 1e3, list: [1, null, 'a'] },
    schema: base64('{}'),
    schemamodtime: '0001-01-01T00:00:00Z',
    files: [{ name: 'README.md', data: base64('read me'), modtime: TIME }],
    modtime: TIME,
  },
  config: { version: 1.0, times: { generated: '\u0001' } },
  manifest: `---\n# ${LONG}\nkind: Service\n`,
  hooks: [
    {
      ...{ name: 'h', kind: 'Job', path: 'p', manifest: 'kind: Job', events: ['pre-delete'], weight: -5 },
      last_run: { started_at: TIME, completed_at: '', phase: 'Succeeded' },
      ...{ delete_policies: ['before-hook-creation'], output_log_policies: ['hook-failed'] },
    },
  ],
  version: 7,
  namespace: 'shop',
  apply_method: 'ssa',
} as const;

const gzipped = (json: string | Uint8Array): string => gzipSync(json).toString('base64');

/** The release with another value at a place such as `hooks.0.weight`. The value is JSON. */
const withValue = (place: string, json: string): string => {
  const release = structuredClone(RELEASE) as unknown as Record<string, unknown>;
  const keys = place.split('.');
  const last = keys.pop() ?? '';
  let at = release;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = '@@';
  return JSON.stringify(release).replace('"@@"', () => json);
};

const STRING_PLACES = [
  ...['name', 'manifest', 'namespace', 'apply_method', 'info.description', 'info.status', 'info.notes'],
  ...['chart.metadata.name', 'chart.metadata.version', 'chart.metadata.tags', 'chart.metadata.type'],
  ...['chart.metadata.sources.0', 'chart.metadata.annotations.a', 'chart.metadata.maintainers.0.name'],
  ...['chart.metadata.dependencies.0.alias', 'chart.lock.digest', 'chart.templates.0.name', 'chart.files.0.name'],
  ...['hooks.0.name', 'hooks.0.manifest', 'hooks.0.events.0', 'hooks.0.last_run.phase', 'hooks.0.delete_policies.0'],
];
const LIST_PLACES = [
  ...['hooks', 'chart.templates', 'chart.files', 'chart.metadata.sources', 'chart.metadata.keywords'],
  ...['chart.metadata.maintainers', 'chart.metadata.dependencies', 'chart.lock.dependencies', 'hooks.0.events'],
  ...['chart.metadata.dependencies.0.tags', 'chart.metadata.dependencies.1.import-values', 'hooks.0.delete_policies'],
];
const OBJECT_PLACES = [
  ...['info', 'chart', 'config', 'chart.metadata', 'chart.lock', 'chart.values', 'chart.metadata.annotations'],
  ...['hooks.0.last_run', 'info.resources', 'hooks.0', 'chart.templates.0', 'chart.metadata.maintainers.0'],
];
const HELM_TIMES = ['info.first_deployed', 'info.last_deployed', 'info.deleted', 'hooks.0.last_run.started_at'];
const GO_TIMES = ['chart.lock.generated', 'chart.modtime', 'chart.schemamodtime', 'chart.templates.0.modtime'];
const INTEGERS = ['version', 'hooks.0.weight', 'info.rollback_revision'];
const BYTES = ['chart.schema', 'chart.templates.0.data', 'chart.files.0.data'];
const TIME_TEXTS = [
  ...['', '2026-11-21T12:00:00Z', '2024-02-29T23:59:59Z', '2026-02-29T00:00:00Z', '2026-11-31T00:00:00Z', TIME],
  ...['2026-11-21', '2026-11-21 12:00:00Z', '2026-11-21t12:00:00z', '2026-11-21T24:00:00Z', '2026-11-21T12:60:00Z'],
  ...['2026-11-21T12:00:60Z', '2026-11-21T12:00:00', '2026-11-21T12:00:00,5Z', '2026-11-21T12:00:00.Z', 'yesterday'],
  ...['2026-11-21T12:00:00+24:00', '2026-11-21T12:00:00+23:60', '2026-11-21T1:00:00Z', '20026-11-21T12:00:00Z', ' '],
  ...['0000-01-01T00:00:00Z', '2026-00-10T00:00:00Z', '2026-13-10T00:00:00Z', '2026-11-00T00:00:00Z'],
];

const values = (places: readonly string[], jsons: readonly string[]): readonly PayloadQuestion[] =>
  places.flatMap((place) =>
    jsons.map((json) => ({
      name: `${place} is ${json.length > 60 ? `${json.slice(0, 60)}...` : json}`,
      payload: gzipped(withValue(place, json)),
    })),
  );

const json = JSON.stringify(RELEASE);
const replaced = (from: string, to: string): string => {
  if (!json.includes(from)) throw new Error(`the release has no ${from}`);
  return gzipped(json.replace(from, () => to));
};
const escaped = (text: string): string =>
  [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const whole = Buffer.from(gzipped(json), 'base64');
const encodings: Readonly<Record<string, string>> = {
  'as Helm writes it': gzipped(json),
  'not gzipped': base64(json),
  'with line breaks in the base64': gzipped(json).replaceAll(/.{76}/g, '$&\r\n'),
  'with spaces in the base64': gzipped(json).replaceAll(/.{76}/g, '$& '),
  'in the alphabet of URLs': Buffer.from(`${json}\u00ff\u00fe`).toString('base64url'),
  'without padding': base64(`${json}${' '.repeat((3 - ((json.length + 1) % 3)) % 3)}`).replaceAll('=', ''),
  'with letters behind the padding': `${base64(`${json} `)}=AAAA`,
  'with zeros behind the gzip': Buffer.concat([whole, Buffer.alloc(4)]).toString('base64'),
  'with text behind the gzip': Buffer.concat([whole, Buffer.from('text')]).toString('base64'),
  'gzipped in two members': Buffer.concat([gzipSync(json.slice(0, 90)), gzipSync(json.slice(90))]).toString('base64'),
  'cut off': whole.subarray(0, whole.length - 9).toString('base64'),
  'with a byte order mark': gzipped(`\ufeff${json}`),
  'with something behind the JSON': gzipped(`${json}{}`),
  'with white space around the JSON': gzipped(` \n${json}\t`),
  'as null': gzipped('null'),
  'as a list': gzipped('[]'),
  'as an empty object': gzipped('{}'),
  'with fields that nobody knows': replaced('"name":"web"', '"name":"web","more":{"a":[1]},"other":"x"'),
  'with numbers far too large among the values': replaced('"ratio":0.5', '"ratio":1e400'),
  'with numbers far too small among the values': replaced('"ratio":0.5', '"ratio":1e-400'),
  'with numbers of many digits among the values': replaced('"ratio":0.5', `"ratio":${'9'.repeat(40)}`),
  'with numbers far too large where nobody looks': replaced('"name":"web"', '"name":"web","more":1e400'),
  'with a time in escapes': replaced(TIME, TIME.replace('-', '\\u002d')),
  'with a fraction under a key in escapes': replaced('"version":7', '"vers\\u0069on":7.0'),
  'with a key all in escapes': replaced('"version":7', `"${escaped('version')}" : 7e0`),
  'with a time under a key in escapes': replaced(
    `"deleted":""`,
    `"${escaped('deleted')}":"2026\\u002d11-21T12:00:00Z"`,
  ),
  'with base64 in escapes': replaced('"schema":"e30="', '"schema":"e3\\u0030="'),
  'with long base64 that is none': replaced(
    base64(LONG),
    `${base64(LONG).slice(0, 3_000)}!${base64(LONG).slice(3_000)}`,
  ),
  'with long base64 cut off': replaced(base64(LONG), base64(LONG).slice(0, 3_001)),
  'with long base64 in lines': replaced(base64(LONG), base64(LONG).replaceAll(/.{76}/g, '$&\\n')),
  'with a key twice': replaced('"version":7', '"version":6,"version":7'),
  'with a key in capitals': replaced('"version":7', '"VERSION":7'),
  'with a field of a template in capitals': replaced('"templates":[{"name"', '"templates":[{"Name"'),
  'with a field of the last run in capitals': replaced('"phase"', '"Phase"'),
  'with a wrong type under a key in capitals': replaced('"digest":"sha256:0"', '"Digest":1'),
  'with resources': replaced('"resources":null', '"resources":{"v1/Pod":[{"kind":"Pod"}]}'),
  'with empty resources': replaced('"resources":null', '"resources":{"v1/Pod":[],"v1/Secret":null}'),
};

export const PAYLOAD_QUESTIONS: readonly PayloadQuestion[] = [
  ...Object.entries(encodings).map(([name, payload]) => ({ name, payload })),
  ...values(STRING_PLACES, ['null', '1', 'true', '[]', '{}', '""']),
  ...values(LIST_PLACES, ['null', '"x"', '{}', '[]', '[null]', '[1]', '[[]]']),
  ...values(OBJECT_PLACES, ['null', '"x"', '[]', '{}', '0']),
  ...values(
    [...HELM_TIMES, ...GO_TIMES],
    ['null', '0', '1732190400', '{}', ...TIME_TEXTS.map((text) => JSON.stringify(text))],
  ),
  ...values(INTEGERS, [
    'null',
    '"7"',
    '7.0',
    '7e0',
    '7.5',
    '-0',
    '07',
    '1e400',
    '9223372036854775808',
    '9007199254740993',
    '{}',
  ]),
  ...values(
    ['chart.metadata.deprecated', 'chart.metadata.dependencies.0.enabled'],
    ['null', '0', '"true"', 'true', '[]'],
  ),
  ...values(BYTES, [
    'null',
    '""',
    '"e30="',
    '"e30"',
    '"e3 0="',
    '"e30=\\n"',
    '"-_=="',
    '"e30=="',
    '"A==="',
    '[1,2]',
    '[256]',
    '{}',
    '1',
  ]),
  ...values(
    ['config.a', 'chart.values.a', 'chart.metadata.annotations.x'],
    ['null', '1', '1e400', '[1e400]', '{"b":"c"}'],
  ),
];
