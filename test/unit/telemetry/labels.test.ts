import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

test('no metric has a label that a user wrote, except the names of drifted releases', async () => {
  // docs/reference.test.ts compares the reference with the source.
  const reference = await readFile(new URL('../../../docs/reference.md', import.meta.url), 'utf8');
  const rows = [...reference.matchAll(/^\| `(belay_\w+)` \| \w+ \| ([^|]*) \|/gm)];
  assert.ok(rows.length > 10);
  const fixed = [
    'kind',
    'operation',
    'decision',
    'code',
    'action',
    'problem',
    'cause',
    'reason',
    'certificate',
    'step',
    'failure',
    'drift',
    'outcome',
    'result',
    'why',
  ];
  for (const [, metric = '', labels = ''] of rows) {
    for (const [, label = ''] of labels.matchAll(/`(\w+)`/g)) {
      if (metric === 'belay_drifted_objects') assert.ok(['namespace', 'release'].includes(label));
      else assert.ok(fixed.includes(label), `${metric} has the label ${label}: is it a closed set of words?`);
    }
  }
});
