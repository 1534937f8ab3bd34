import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Person, Started } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

const PENDING = 'secret/sh.helm.release.v1.web.v2';
const STALE_MS = 600_001;

describe('an upgrade whose Helm has been silent for too long', () => {
  let plane: MemoryPlane;
  let ci: Person;
  let eve: Person;
  let upgrade: Started;

  const drift = () => ci.patch('configmap/web', { data: { greeting: 'late' } });
  const seconds = (): string => String(Math.floor(plane.clock.nowMs() / 1000));

  beforeEach(async () => {
    plane = await memoryPlane();
    ci = plane.as('ci');
    eve = plane.as('eve');
    succeeds(await ci.helm.install('web'));
    upgrade = await ci.helm.start((helm) => helm.upgrade('web', { greeting: 'two' }));
    assert.equal(upgrade.ended, undefined);
    plane.clock.advance(STALE_MS);
  });
  afterEach(() => plane.stop());

  test('its holder changes nothing of a frozen release', async () => {
    await plane.freeze('web');
    isDenied(await untouched(plane, drift), 'BelayFrozen');
    isDenied(await untouched(plane, () => ci.delete('configmap/web')), 'BelayFrozen');
  });

  test('its holder goes on where the release is not frozen', async () => {
    succeeds(await upgrade.finish());
    assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed');
  });

  test('another user does not keep it alive by the label modifiedAt', async () => {
    const touch = () => eve.patch(PENDING, { metadata: { labels: { modifiedAt: seconds() } } });
    isDenied(await untouched(plane, touch), 'BelayRecordProtected', /may say that it is alive/);
    succeeds(await eve.helm.rollback('web', 1));
  });

  test('another user may still label and annotate its record', async () => {
    succeeds(await eve.annotate(PENDING, { 'example.com/note': 'looked at it' }));
    succeeds(await eve.patch(PENDING, { metadata: { labels: { team: 'shop' } } }));
    succeeds(await eve.patch(PENDING, { metadata: { labels: { modifiedAt: null } } }));
  });
});
