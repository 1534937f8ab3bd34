import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import { HelmError } from '../../../memory/helm-client.ts';
import type { EndsOfNelm } from '../../../memory/nelm.ts';
import type { Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** nelm, whose writes are Helm's in another order at the end (test/memory/nelm.ts). */

const ENDS: readonly EndsOfNelm[] = ['together', 'deployed first', 'superseded first'];

describe('nelm', () => {
  let plane: MemoryPlane;
  let ci: Person;

  beforeEach(async () => {
    plane = await memoryPlane();
    ci = plane.as('ci');
    succeeds(await ci.nelm.upgrade('web'));
  });
  afterEach(() => plane.stop());

  for (const ends of ENDS) {
    test(`upgrades, and leaves one revision deployed, with its last writes ${ends}`, async () => {
      for (const greeting of ['two', 'three', 'four']) succeeds(await ci.nelm.upgrade('web', { greeting }, ends));
      assert.equal(await plane.history('web'), 'v1 superseded, v2 superseded, v3 superseded, v4 deployed');
      succeeds(await plane.as('dev').helm.upgrade('web', { greeting: 'five' }));
    });
  }

  for (const ends of ['deployed first', 'superseded first'] as const) {
    test(`ends its upgrade though the release is frozen between its last writes, ${ends}`, async () => {
      const steps = ci.nelm.steps('web', { greeting: 'two' }, ends);
      await steps.next();
      await steps.next();
      await plane.freeze('web');
      await steps.next();
      assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed');
      isDenied(await ci.nelm.upgrade('web', { greeting: 'three' }), 'BelayFrozen');
      assert.equal((await plane.locks('web')).at(-1)?.['belay.dev/freeze'], 'audit week');
    });
  }

  test('does not begin beside the upgrade of another user, and nobody else ends its own', async () => {
    const steps = ci.nelm.steps('web', { greeting: 'two' }, 'deployed first');
    await steps.next();
    const dev = plane.as('dev');
    isDenied(await untouched(plane, () => dev.nelm.upgrade('web')), 'BelayOperationInFlight', /by ci/);
    await steps.next();
    const old = await dev.get('secret/sh.helm.release.v1.web.v1');
    const metadata = { ...old.metadata, labels: { ...old.metadata?.labels, status: 'superseded' } };
    isDenied(await untouched(plane, () => dev.replace({ ...old, metadata })), 'BelayRecordProtected');
    await steps.next();
  });

  test('is overtaken like any other', async () => {
    const steps = ci.nelm.steps('web', { greeting: 'two' }, 'deployed first');
    await steps.next();
    plane.clock.advance(600_001);
    succeeds(await plane.as('dev').helm.rollback('web', 1));
    await assert.rejects(
      steps.next(),
      (error) => error instanceof HelmError && /\[BelayDrift\]|\[BelayFenced\]/.test(error.message),
    );
  });
});
