import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDenial } from '../../../../src/admission/explain/message.ts';
import { showOwnerChange, warnOfCreator, warnOfOwners } from '../../../../src/admission/explain/ownership.ts';
import type { FieldChange, FieldOwner } from '../../../../src/rules/verdict.ts';

const owner = (manager: string, more: Partial<FieldOwner> = {}): FieldOwner => ({
  manager,
  operation: 'Apply',
  apiVersion: 'apps/v1',
  ...more,
});
const release = { namespace: 'shop', name: 'web' };
const object = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const change = (before: readonly FieldOwner[], after: readonly FieldOwner[], path = 'spec.replicas'): FieldChange => ({
  path,
  pointer: `/${path.replaceAll('.', '/')}`,
  before: 2,
  after: 2,
  secret: false,
  owners: { before, after },
});

test('a refused owner reads which fields would belong to whom, and what to do instead', () => {
  const { message } = describeDenial(
    {
      code: 'BelayDrift',
      release,
      attempt: 'change',
      object,
      governing: { revision: 3, chart: 'shop-1.4.0' },
      recordKind: 'Secret',
      changes: [change([owner('helm')], [owner('helm'), owner('me')])],
    },
    Date.parse('2026-01-01T12:00:00Z'),
  );
  assert.equal(
    message,
    `change of Deployment web in namespace shop refused: Helm release web in namespace shop manages it [BelayDrift]
  governed by: revision 3, chart shop-1.4.0
  these fields would belong to others (metadata.managedFields), and the next upgrade would fail by them or leave them behind:
    spec.replicas: helm -> helm and me
  leave metadata.managedFields alone, and apply only fields that the chart does not set; or change them in the chart or its values:
    helm upgrade web <chart> -n shop ...
  or, if you may, open the release to changes by hand for an hour:
    kubectl annotate secret -n shop -l owner=helm,name=web --overwrite belay.dev/open="why" belay.dev/open-until=2026-01-01T13:00:00Z`,
  );
});

test('owners are told apart by how they write, and no name of theirs steers a terminal', () => {
  const shown = (after: readonly FieldOwner[]) => showOwnerChange({ before: [owner('helm')], after });
  assert.equal(shown([]), 'helm -> nobody');
  assert.equal(shown([owner('helm', { operation: 'Update' })]), 'helm -> helm (by update)');
  assert.equal(shown([owner('helm', { subresource: 'status' })]), 'helm -> helm (by status)');
  assert.equal(shown([owner('helm', { apiVersion: 'apps/v1beta1' })]), 'helm using apps/v1 -> helm using apps/v1beta1');
  assert.equal(shown([owner('\u001b[2Jme')]), 'helm -> "\\u001b[2Jme"');
});

test('who brings values back is told the new owner, and the command that takes them back', () => {
  const kubectl = owner('kubectl', { operation: 'Update' });
  assert.deepEqual(warnOfOwners(release, []), []);
  assert.deepEqual(
    warnOfOwners(
      release,
      ['a', 'b', 'c'].map((path) => change([], [kubectl], path)),
    ),
    [
      "a, b and 1 more have the chart's values again, and belong to kubectl (by update) now",
      'an upgrade by Helm 4 that changes this conflicts with the new owner; to take it back: helm upgrade web <chart> -n shop ... --force-conflicts',
    ],
  );
  assert.equal(
    warnOfCreator(release, object, 'me')[0],
    'Deployment web in namespace shop is there again as the chart has it, and its fields belong to me now',
  );
});
