import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { findDrift } from '../../src/rules/drift/find-drift.ts';
import { findScaleDrift } from '../../src/rules/drift/find-scale-drift.ts';
import { isUnchanged } from '../../src/rules/drift/is-unchanged.ts';
import { isMap } from '../../src/rules/drift/json.ts';
import { countNodes, fuzz, hostileText, json, jsonMap, key } from './fuzz.ts';

const SCOPES = ['AllFields', 'ChartFields'] as const;

type Json = Record<string, unknown>;

const fieldsV1 = fc.letrec<{ set: Json }>((tie) => ({
  set: fc
    .array(
      fc.tuple(
        fc.oneof(
          key.map((name) => `f:${name}`),
          fc.constantFrom(
            'k:{"name":"n0"}',
            'k:{"name":null}',
            'k:[]',
            'k:{',
            'v:1',
            'v:"x"',
            'i:0',
            '.',
            'k:{"__proto__":1}',
          ),
        ),
        fc.oneof({ maxDepth: 4 }, fc.constant({}), tie('set'), json),
      ),
      { maxLength: 4 },
    )
    .map((entries) => Object.fromEntries(entries)),
})).set;
const metadata = fc.record(
  {
    name: hostileText,
    labels: json,
    annotations: json,
    ownerReferences: json,
    managedFields: fc.oneof(json, fc.array(fc.record({ manager: hostileText, fieldsV1 }), { maxLength: 3 })),
  },
  { requiredKeys: [] },
);
const object = fc
  .tuple(
    fc.constantFrom('v1', 'apps/v1', 'x.example/v1', '/'),
    fc.constantFrom('Secret', 'ConfigMap', 'Deployment', 'ClusterRole', ''),
    metadata,
    jsonMap,
  )
  .map(([apiVersion, kind, meta, rest]): Json => ({ ...rest, apiVersion, kind, metadata: meta }));

/** Two objects that differ in some places, as before and after a write. */
const pair = fc
  .tuple(object, object, fc.array(fc.tuple(key, json), { maxLength: 3 }), fc.boolean())
  .map(([before, other, changes, isOther]): readonly [Json, Json] => {
    if (isOther) return [before, other];
    const after = structuredClone(before);
    let place: Json = after;
    for (const [name, value] of changes) {
      const names = Object.keys(place);
      const next = names.length === 0 ? undefined : place[names[name.length % names.length] ?? ''];
      Object.defineProperty(place, name, { value, enumerable: true, configurable: true, writable: true });
      if (isMap(next)) place = next as Json;
    }
    return [before, after];
  });
const ignore = fc.array(
  fc.oneof(
    fc.constantFrom('', '/', '/*', '/spec/*/*', '/metadata', '/~0~1', '//', '/__proto__', 'nonsense'),
    hostileText,
  ),
  { maxLength: 4 },
);

const find = (
  scope: (typeof SCOPES)[number],
  document: unknown,
  before: unknown,
  after: unknown,
  ignored: readonly string[] = [],
) =>
  findDrift({
    scope,
    document: document as Json,
    releaseName: 'web',
    releaseNamespace: 'shop',
    before: before as KubernetesObject,
    after: after as KubernetesObject,
    ignore: ignored,
  });

/** What is at a JSON Pointer; undefined where nothing is. */
const at = (value: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (place, segment) =>
        typeof place === 'object' && place !== null && Object.hasOwn(place, segment)
          ? (place as Json)[segment]
          : undefined,
      value,
    );

fuzz('what is not changed is no drift, whatever it is', [object, object, ignore], (document, live, ignored) => {
  const same = structuredClone(live);
  for (const scope of SCOPES) assert.deepEqual(find(scope, document, live, same, ignored), []);
  assert.equal(isUnchanged(live, same), true);
});

fuzz(
  'every finding is a change, at a place that is there, and there are no more of them than values',
  [object, pair, ignore],
  (document, [before, after], ignored) => {
    for (const scope of SCOPES) {
      const changes = find(scope, document, before, after, ignored);
      assert.ok(changes.length <= countNodes(before) + countNodes(after));
      for (const { path, pointer, before: old, after: now } of changes) {
        assert.ok(path.length > 0);
        // Of what is gone, and is ignored in part, the rest is told as what is left of it: nothing.
        if (countNodes(now) === 1 && typeof now === 'object') continue;
        assert.deepEqual(at(now === undefined ? before : after, pointer) ?? undefined, now ?? old);
      }
    }
    if (find('AllFields', document, before, after).length > 0)
      assert.equal(isUnchanged(before as KubernetesObject, after as KubernetesObject), false);
  },
);

fuzz(
  'what is drift where the chart sets it is drift where everything counts',
  [object, pair],
  (document, [before, after]) => {
    const [all, chart] = SCOPES.map((scope) => find(scope, document, before, after).map(({ pointer }) => pointer));
    if ((all?.length ?? 0) === 0) assert.deepEqual(chart, []);
  },
);

fuzz('an ignored path can only take findings away', [object, pair, ignore], (document, [before, after], ignored) => {
  for (const scope of SCOPES) {
    if (find(scope, document, before, after).length === 0)
      assert.deepEqual(find(scope, document, before, after, ignored), []);
  }
});

/** Counts what is read of a tree; each look at a key and each list of keys is one. */
const counted = (root: Json, count: { reads: number }): Json => {
  const wrap = (value: unknown): unknown =>
    typeof value === 'object' && value !== null ? new Proxy(value, handler) : value;
  const handler: ProxyHandler<object> = {
    get: (target, name, receiver) => {
      count.reads += 1;
      const { value, writable } = Reflect.getOwnPropertyDescriptor(target, name) ?? {};
      return writable === false ? value : wrap(Reflect.get(target, name, receiver));
    },
    ownKeys: (target) => {
      count.reads += 1;
      return Reflect.ownKeys(target);
    },
    getOwnPropertyDescriptor: (target, name) => {
      count.reads += 1;
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
  };
  return wrap(root) as Json;
};

/** Each value is looked at a few times, and again for each list above it (walk.ts compares a list as a whole first). */
const READS_PER_VALUE = 60;

const wide = (items: number, change: number): Json => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    a: Array.from({ length: items }, (_, i) => ({
      name: `n${i}`,
      list: [{ name: 'x', v: [i + change] }],
      map: { [`k${i}`]: { b: [change] } },
    })),
  },
});
fuzz(
  'the work grows as the objects do, and not with their square',
  [fc.constantFrom(10, 100, 1000), fc.constantFrom(...SCOPES), fc.boolean()],
  (items, scope, isCharted) => {
    const count = { reads: 0 };
    const [before, after] = [wide(items, 0), wide(items, 1)];
    const document = isCharted ? wide(items, 0) : {};
    find(scope, document, counted(before, count), counted(after, count));
    const nodes = countNodes(before) + countNodes(after);
    assert.ok(count.reads <= READS_PER_VALUE * nodes, `${count.reads} reads of ${nodes} values`);
  },
  12,
);

fuzz(
  'the number of replicas, whatever the chart says of it',
  [object, fc.nat(5), fc.nat(5), ignore],
  (document, before, after, ignored) => {
    for (const scope of SCOPES) {
      const changes = findScaleDrift({
        scope,
        document,
        beforeReplicas: before,
        afterReplicas: after,
        ignore: ignored,
      });
      assert.ok(changes.length <= (before === after ? 0 : 1));
    }
  },
);
