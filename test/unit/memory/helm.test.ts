import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { renderShop } from '../../memory/chart.ts';
import { memoryPlane } from '../../memory/plane.ts';
import { payloadIn } from '../../memory/record.ts';
import { reviewOf } from '../../memory/review-of.ts';
import { HELM_COMMANDS, type RecordedCommand } from '../../recording/helm-commands.ts';
import { isWrite, lineOf, withSortedDeletes } from '../../recording/line-of.ts';
import { readRecording } from '../../recording/recorded.ts';

/** The Helms in memory write what the real ones were recorded to write, in the same order (test/cluster/recording.test.ts compares those). */

const recording = await readRecording();

for (const version of ['helm3', 'helm4'] as const) {
  describe(version, () => {
    const { commands, payload } = recording.helm[version];
    const imitated: RecordedCommand[] = [];
    let stored: unknown;

    before(async () => {
      const plane = await memoryPlane();
      const ci = plane.as('ci');
      const helm = version === 'helm3' ? ci.helm3 : ci.helm;
      let writes: string[] = [];
      plane.server.admitBy({
        mutate: async (_attempt, after) => after,
        validate: async (attempt) => {
          const review = reviewOf(attempt);
          if (attempt.caller.user.username === 'ci' && isWrite(review)) writes.push(lineOf(review));
        },
      });
      for (const { typed, run } of HELM_COMMANDS) {
        writes = [];
        const { ok } = await run(helm);
        imitated.push({ typed, ok, writes });
        stored ??= payloadIn(await plane.admin.get('secret/sh.helm.release.v1.web.v1'));
      }
      await plane.stop();
    });

    for (const [index, command] of commands.entries()) {
      test(`${index + 1}. ${command.typed}`, () => {
        const own = imitated[index];
        assert.ok(own);
        assert.deepEqual(
          { ...own, writes: withSortedDeletes(own.writes) },
          { ...command, writes: withSortedDeletes(command.writes) },
        );
      });
    }

    test('the stored manifest has the same documents', () => {
      const { manifest } = payload as { manifest: string };
      const documents = parseAllDocuments(manifest).map((document) => document.toJS() as unknown);
      assert.deepEqual(renderShop('web', {}), documents);
    });

    test('the payload says what the real one says', () => {
      const real = payload as { info: readonly string[]; chart: { metadata: object; fields: readonly string[] } };
      const own = stored as { info: object; chart: { metadata: object }; name: string; version: number };
      // Helm leaves both out of the payload where they are empty, as those of the recorded install are.
      const known = [...Object.keys(payload as object), 'config', 'hooks'];
      assert.deepEqual(
        Object.keys(own).filter((key) => !known.includes(key)),
        [],
      );
      assert.deepEqual(
        Object.keys(own.info).filter((key) => !real.info.includes(key)),
        [],
      );
      const { name, version: chartVersion } = real.chart.metadata as { name: string; version: string };
      assert.deepEqual(own.chart.metadata, { name, version: chartVersion });
    });
  });
}
