import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showDiff } from '../../../src/cli/drift/unified-diff.ts';
import type { CheckedRelease, ObjectDrift } from '../../../src/drift/findings.ts';

test('the name of a chart cannot control the terminal', async () => {
  const checked = {
    checked: true,
    release: { namespace: 'shop', name: 'web' },
    namespace: 'shop',
    governing: { revision: 1 },
    chart: 'shop\u001b[2J\u202e-1.0.0',
  } as unknown as CheckedRelease;
  const object = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'web' };
  const drift = { object, problem: 'unmarked', changed: [], added: [], keep: false, document: {}, desired: {} };
  const shown = await showDiff(drift as unknown as ObjectDrift, checked, process.stdout);
  assert.match(shown, /revision 1, chart "shop\\u001b\[2J\\u202e-1\.0\.0"/);
});
