import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findScaleDrift } from '../../../../src/rules/drift/find-scale-drift.ts';

const cases = [
  { name: 'the same number', chart: 2, from: 2, to: 2, user: 0, serviceAccount: 0 },
  { name: 'another number than that of the chart', chart: 2, from: 2, to: 5, user: 1, serviceAccount: 1 },
  { name: 'back to the number of the chart', chart: 2, from: 5, to: 2, user: 0, serviceAccount: 0 },
  { name: 'the chart sets no number', chart: undefined, from: 2, to: 5, user: 1, serviceAccount: 0 },
  { name: 'the chart has null', chart: null, from: 2, to: 5, user: 1, serviceAccount: 0 },
  { name: 'down to zero, which a Scale leaves out', chart: 2, from: 2, to: undefined, user: 1, serviceAccount: 1 },
  { name: 'ignored', chart: 2, from: 2, to: 5, ignore: ['/spec/replicas'], user: 0, serviceAccount: 0 },
  { name: 'an ignored parent', chart: 2, from: 2, to: 5, ignore: ['/*'], user: 0, serviceAccount: 0 },
];

for (const { name, chart, from, to, ignore = [], ...expected } of cases) {
  for (const subject of ['user', 'serviceAccount'] as const) {
    test(`scaling, ${name}: ${subject}`, () => {
      const document = { kind: 'Deployment', spec: { replicas: chart } };
      const changes = findScaleDrift({
        scope: subject === 'user' ? 'AllFields' : 'ChartFields',
        document,
        beforeReplicas: from,
        afterReplicas: to,
        ignore,
      });
      assert.deepEqual(
        changes,
        expected[subject] === 0
          ? []
          : [{ path: 'spec.replicas', pointer: '/spec/replicas', before: from, after: to, secret: false }],
      );
    });
  }
}
