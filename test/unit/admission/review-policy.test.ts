import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/** Policies that Belay refuses and the schema of the CRD accepts. Refusals by the schema are tested with a real API server. */

let plane: MemoryPlane;

const policy = (spec: object, metadata: object = {}): KubernetesObject => ({
  apiVersion: 'belay.dev/v1alpha1',
  kind: 'ReleasePolicy',
  metadata: { name: 'bad', ...metadata },
  spec,
});
const window = { schedule: '0 16 * * FRI', duration: '64h', timeZone: 'Europe/Berlin', reason: 'weekend' };

beforeEach(async () => {
  plane = await memoryPlane();
});
afterEach(() => plane.stop());

describe('a bad policy is refused when it is written, with the path of the field', () => {
  const bad: readonly (readonly [what: string, spec: object, field: RegExp])[] = [
    ['a range that is not SemVer', { versions: { range: 'soon' } }, / {2}spec\.versions\.range: "soon"/],
    [
      'a time zone that does not exist',
      { freeze: { windows: [{ ...window, timeZone: 'Europe/Berln' }] } },
      / {2}spec\.freeze\.windows\[0\]\.timeZone: "Europe\/Berln"/,
    ],
    [
      'a schedule that never comes true',
      { freeze: { windows: [window, { ...window, schedule: '0 0 30 2 *' }] } },
      / {2}spec\.freeze\.windows\[1\]\.schedule: "0 0 30 2 \*"/,
    ],
  ];
  for (const [what, spec, field] of bad) {
    test(what, async () => {
      isDenied(await untouched(plane, () => plane.admin.create(policy(spec))), 'BelayBadPolicy', field);
      succeeds(await plane.admin.create(policy({})));
      isDenied(await plane.admin.replace(policy(spec)), 'BelayBadPolicy', field);
    });
  }

  test('all of them at once', async () => {
    const spec = {
      versions: { range: 'soon' },
      freeze: { windows: [{ ...window, timeZone: 'Mars/Base', schedule: '61 * * * *' }] },
    };
    const said = isDenied(await plane.admin.create(policy(spec)), 'BelayBadPolicy', /ReleasePolicy bad refused/);
    assert.match(said, /spec\.versions\.range/);
    assert.match(said, /spec\.freeze\.windows\[0\]\.(timeZone|schedule)/);
  });
});

test('a bad policy that is stored changes nothing, may be labelled, and is in force once it is corrected', async () => {
  succeeds(await plane.helm.install('web'));
  // Before the webhook is there, or while Belay is down.
  plane.unguard();
  succeeds(await plane.admin.create(policy({ versions: { range: 'soon' }, drift: { action: 'Off' } })));
  plane.guard();
  const scale = () => plane.as('dev').scale('deployment/web', 5);
  isDenied(await scale(), 'BelayDrift');
  succeeds(await plane.admin.patch('policy/bad', { metadata: { labels: { team: 'shop' } } }));
  succeeds(await plane.admin.replace(policy({ drift: { action: 'Off' } })));
  succeeds(await scale());
});
