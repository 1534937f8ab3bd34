// Longer than 200 lines: the generators of objects are as long as the properties.
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

/** An object before and after a write that changes some of its values. */
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

/** The value at a JSON Pointer; undefined where there is none. */
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

fuzz('an unchanged object is no drift', [object, object, ignore], (document, live, ignored) => {
  const same = structuredClone(live);
  for (const scope of SCOPES) assert.deepEqual(find(scope, document, live, same, ignored), []);
  assert.equal(isUnchanged(live, same), true);
});

fuzz(
  'every finding is a change at a path that exists, and there are no more findings than values',
  [object, pair, ignore],
  (document, [before, after], ignored) => {
    for (const scope of SCOPES) {
      const changes = find(scope, document, before, after, ignored);
      assert.ok(changes.length <= countNodes(before) + countNodes(after));
      for (const { path, pointer, before: old, after: now } of changes) {
        assert.ok(path.length > 0);
        // A removed map or list that is ignored in part is reported as empty, which is not its value after the write.
        if (countNodes(now) === 1 && typeof now === 'object') continue;
        assert.deepEqual(at(now === undefined ? before : after, pointer) ?? undefined, now ?? old);
      }
    }
    if (find('AllFields', document, before, after).length > 0)
      assert.equal(isUnchanged(before as KubernetesObject, after as KubernetesObject), false);
  },
);

fuzz('drift by ChartFields is also drift by AllFields', [object, pair], (document, [before, after]) => {
  const [all, chart] = SCOPES.map((scope) => find(scope, document, before, after).map(({ pointer }) => pointer));
  if ((all?.length ?? 0) === 0) assert.deepEqual(chart, []);
});

fuzz('an ignored path only removes findings', [object, pair, ignore], (document, [before, after], ignored) => {
  for (const scope of SCOPES) {
    if (find(scope, document, before, after).length === 0)
      assert.deepEqual(find(scope, document, before, after, ignored), []);
  }
});

/** Counts the reads of a tree: each access of a key, and each listing of keys. */
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

/** Each value is read a few times, and once more for each list above it, because walk.ts first compares a list as a whole. */
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
  'the work grows with the size of the objects, and not with its square',
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
  'any change of replicas, with any chart',
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
