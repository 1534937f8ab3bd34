import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { parse } from 'yaml';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { fails, isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { payloadIn, toRecordObject } from '../../../memory/record.ts';
import { backUp, restore, VELERO } from '../../../memory/velero.ts';

/** Releases come back from a backup, into a cluster that is new or that has lost them (docs/backup.md). */

const HOUR_MS = 3_600_000;

const DOCUMENT = readFileSync(new URL('../../../../docs/backup.md', import.meta.url), 'utf8');

/** The policy and the right that docs/backup.md tells people to give to Velero. */
const documented = {
  policy: (parse(/^ {4}apiVersion: belay\.dev\/v1alpha1\n(?: {4}.*\n)+/m.exec(DOCUMENT)?.[0] ?? '') as { spec: object })
    .spec,
  verbs: (parse(/^ {4}- (\{apiGroups: .*)$/m.exec(DOCUMENT)?.[1] ?? '') as { verbs: readonly string[] }).verbs,
};

let old: MemoryPlane;
let plane: MemoryPlane;
let velero: Person;
let sre: Person;

beforeEach(async () => {
  [old, plane] = [await memoryPlane(), await memoryPlane()];
  velero = plane.as(VELERO, 'none');
  plane.grant(VELERO, documented.verbs, 'web');
  sre = old.as('sre', 'admin');
  await plane.policy(documented.policy);
});
afterEach(() => Promise.all([old.stop(), plane.stop()]));

const at = (revision: number): string => `secret/sh.helm.release.v1.web.v${revision}`;
const elevenRevisions = async (): Promise<void> => {
  succeeds(await old.helm.install('web'));
  for (let revision = 2; revision <= 11; revision += 1)
    succeeds(await old.helm.upgrade('web', { greeting: String(revision) }, { historyMax: 3 }));
};
const later = (): void => {
  old.clock.advance(HOUR_MS);
  plane.clock.advance(2 * HOUR_MS);
};
const allPass = (outcomes: readonly Outcome[]): string =>
  outcomes.map((outcome) => succeeds(outcome).said.trim()).join('');
const isWhole = async (): Promise<void> => {
  assert.equal(await plane.history('web'), await old.history('web'));
  isDenied(await plane.as('dev').patch('configmap/web', { data: { GREETING: 'mine' } }), 'BelayDrift');
};
const records = async (): Promise<readonly KubernetesObject[]> => backUp(old.admin, ['secret']);

describe('a release', () => {
  test('comes back with its objects, its claim being one warning, and goes on', async () => {
    await elevenRevisions();
    const backup = await backUp(old.admin);
    later();
    const said = allPass(await restore(velero, backup));
    assert.match(said, /leave the Leases belay\.<release> out of backups/);
    await isWhole();
    const { helm3 } = plane.as('ci');
    succeeds(await helm3.upgrade('web', { greeting: 'on' }));
    succeeds(await helm3.rollback('web', 11));
  });

  test('comes back after its objects', async () => {
    await elevenRevisions();
    allPass(await restore(velero, await backUp(old.admin, ['configmap', 'service', 'deployment', 'secret'])));
    await isWhole();
  });

  for (const [order, sort] of [
    ['the newest first', (all: readonly KubernetesObject[]) => all.toReversed()],
    ['the middle last', ([a, b, c]: readonly KubernetesObject[]) => [c, a, b].filter((each) => each !== undefined)],
  ] as const) {
    test(`comes back ${order}, by hand as well`, async () => {
      await elevenRevisions();
      allPass(await restore(plane.as('dev'), sort(await records())));
      assert.equal(await plane.history('web'), await old.history('web'));
      succeeds(await plane.helm.upgrade('web'));
    });
  }

  test('comes back over what is there, which stays as it is', async () => {
    await elevenRevisions();
    const backup = await backUp(old.admin, ['secret', 'configmap', 'service', 'deployment']);
    allPass(await restore(velero, backup));
    const history = await plane.history('web');
    for (const existing of ['none', 'update'] as const) allPass(await restore(velero, backup, existing));
    assert.equal(await plane.history('web'), history);
  });

  test('comes back with a revision that was pending for ever, in any order', async () => {
    succeeds(await old.helm.install('web'));
    await old.helm.start((helm) => helm.upgrade('web', { greeting: 'stuck' }));
    old.clock.advance(HOUR_MS);
    succeeds(await old.helm.rollback('web', 1));
    later();
    const [v1, v2, v3] = await records();
    for (const order of [
      [v1, v2, v3],
      [v3, v2, v1],
      [v2, v3, v1],
    ]) {
      allPass(await restore(velero, order));
      assert.equal(await plane.history('web'), 'v1 superseded, v2 pending-upgrade, v3 deployed');
      plane.unguard();
      for (const revision of [1, 2, 3]) succeeds(await plane.admin.delete(at(revision)));
      succeeds(await plane.admin.delete('lease/belay.web'));
      plane.guard();
    }
  });

  test('that was being upgraded comes back as it was, and is rolled back when that is stale', async () => {
    succeeds(await old.helm.install('web'));
    await old.helm.start((helm) => helm.upgrade('web', { greeting: 'stuck' }));
    later();
    allPass(await restore(velero, await records()));
    isDenied(await plane.helm.rollback('web', 1), 'BelayOperationInFlight');
    plane.clock.advance(HOUR_MS);
    succeeds(await plane.helm.rollback('web', 1));
  });

  test('a pending revision is not slipped below a newer one by somebody who may not break', async () => {
    succeeds(await old.helm.install('web'));
    await old.helm.start((helm) => helm.upgrade('web', { greeting: 'stuck' }));
    old.clock.advance(HOUR_MS);
    succeeds(await old.helm.rollback('web', 1));
    later();
    const [v1, v2, v3] = await records();
    allPass(await restore(velero, [v1, v3]));
    const [outcome] = await restore(plane.as('dev'), [v2]);
    fails(outcome as Outcome, /\[BelayRecordProtected\]/);
  });
});

describe('a lock that is over by the time of the restore', () => {
  beforeEach(async () => {
    succeeds(await old.helm.install('web'));
    succeeds(await old.helm.upgrade('web', { greeting: 'two' }));
  });

  const over = async (annotations: Readonly<Record<string, string>>, says: RegExp): Promise<void> => {
    succeeds(await sre.annotate(at(2), annotations));
    const backup = await records();
    later();
    assert.match(allPass(await restore(velero, backup)), says);
    assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed');
    assert.deepEqual(await plane.locks('web'), [{}, {}]);
  };

  test('does not keep the record from coming back: a freeze', () =>
    over(
      { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-until': old.clock.time(60_000) },
      /belay\.dev\/freeze-until.* left out: the freeze ended at 20/,
    ));

  test('does not keep the record from coming back: a maintenance window', () =>
    over(
      { 'belay.dev/open': 'repair', 'belay.dev/open-until': old.clock.time(60_000) },
      /belay\.dev\/open, belay\.dev\/open-until left out: the maintenance window ended/,
    ));

  test('does not keep the record from coming back where a policy only audits', async () => {
    const only = { action: 'Audit' };
    await plane.policy({ operations: only, versions: only, drift: only, freeze: only });
    await over({ 'belay.dev/freeze': 'x', 'belay.dev/freeze-until': old.clock.time(60_000) }, /left out/);
  });

  test('does not keep the record from coming back: a broken operation that was superseded', async () => {
    await old.helm.start((helm) => helm.upgrade('web', { greeting: 'stuck' }));
    succeeds(await sre.annotate(at(3), { 'belay.dev/break': 'gone' }));
    succeeds(await old.helm.rollback('web', 2));
    // As Belay 0.1.0 and others left it: superseded, with its mark.
    old.unguard();
    const labels = { labels: { status: 'superseded' } };
    const v3 = await old.admin.get(at(3));
    succeeds(await old.admin.patch(at(3), { metadata: labels }));
    succeeds(await old.admin.delete(at(3)));
    old.guard();
    assert.ok(v3.metadata?.annotations?.['belay.dev/break']);
    const v2 = await old.admin.get(at(1));
    const marked = { ...v2, metadata: { ...v2.metadata, annotations: { 'belay.dev/break': 'gone' } } };
    assert.match(
      allPass(await restore(velero, [marked])),
      /belay\.dev\/break left out: the operation that was declared dead/,
    );
  });

  test('is not written over a lock that stands, where the record is there already', async () => {
    const until = old.clock.time(60_000);
    succeeds(await sre.annotate(at(2), { 'belay.dev/freeze': 'old', 'belay.dev/freeze-until': until }));
    const backup = await records();
    later();
    allPass(await restore(velero, backup));
    await plane.freeze('web', 'new');
    allPass(await restore(velero, backup, 'update'));
    assert.equal((await plane.locks('web')).at(-1)?.['belay.dev/freeze'], 'new');
  });

  test('is refused as ever where somebody writes it by hand', async () => {
    const past = { 'belay.dev/freeze': 'x', 'belay.dev/freeze-until': old.clock.time(-60_000) };
    isDenied(await untouched(old, () => sre.annotate(at(2), past)), 'BelayBadLock', /lies in the past/);
  });

  test('does not keep a Namespace from coming back', async () => {
    const annotations = { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-until': plane.clock.time(-60_000) };
    const metadata = { name: 'lost', annotations: { ...annotations, team: 'shop' } };
    const back = succeeds(await plane.admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata }));
    assert.match(back.said, /left out: the freeze ended/);
    assert.deepEqual((await plane.admin.get('namespace/lost')).metadata?.annotations, { team: 'shop' });
  });
});

describe('a frozen release', () => {
  beforeEach(async () => {
    succeeds(await old.helm.install('web'));
    succeeds(await old.helm.upgrade('web', { greeting: 'two' }));
    succeeds(await old.helm.upgrade('web', { greeting: 'three' }));
    await old.freeze('web', 'black friday');
  });

  for (const order of ['oldest first', 'newest first'] as const) {
    test(`comes back frozen, by somebody who may break, ${order}`, async () => {
      const backup = await records();
      allPass(await restore(velero, order === 'oldest first' ? backup : backup.toReversed()));
      assert.equal(await plane.history('web'), 'v1 superseded, v2 superseded, v3 deployed');
      isDenied(await plane.helm.upgrade('web'), 'BelayFrozen', /black friday/);
    });
  }

  test('comes back into a Namespace that is frozen', async () => {
    succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/freeze': 'all' }));
    allPass(await restore(velero, await records()));
    assert.equal(await plane.history('web'), 'v1 superseded, v2 superseded, v3 deployed');
  });

  test('gets no revision above the one that runs, and none at all from somebody who may not break', async () => {
    const [v1, v2, v3] = await records();
    allPass(await restore(velero, [v2, v3]));
    const [newest] = await restore(velero, [nextOf(v3)]);
    isDenied(newest as Outcome, 'BelayFrozen');
    const [oldest] = await restore(plane.as('dev'), [v1]);
    isDenied(oldest as Outcome, 'BelayFrozen');
  });
});

/** A copy of a record under the next number. */
const nextOf = (record: KubernetesObject | undefined): KubernetesObject => {
  const payload = payloadIn(record as KubernetesObject);
  return toRecordObject({ ...payload, version: payload.version + 1 }, 'Secret', 'shop', {});
};
