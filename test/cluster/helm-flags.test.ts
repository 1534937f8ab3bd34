import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { CHART_SOURCE_FLAGS, flagsOf, GLOBAL_FLAGS, mergeTables, readHelp } from '../../src/cli/turn/helm-flags.ts';
import { type Binaries, findOrMakeBinaries } from './harness/binaries.ts';
import { HELMS } from './support/asking.ts';

/** The table by which `helm lock` reads Helm's command line, against what the Helms themselves say. No control plane is needed. */

let binaries: Binaries<'helm3' | 'helm4'>;

before(async () => {
  binaries = await findOrMakeBinaries(HELMS);
});

const helpOf = async (helm: (typeof HELMS)[number], ...command: readonly string[]) => {
  const { stdout } = await promisify(execFile)(binaries[helm], [...command, '--help']);
  return readHelp(stdout);
};

for (const helm of HELMS) {
  for (const command of ['install', 'upgrade', 'rollback', 'uninstall'] as const) {
    test(`every flag of ${helm} ${command} is known for what it is`, async () => {
      const [told, table] = [await helpOf(helm, command), flagsOf(command)];
      assert.ok(told.values.size > 15 && told.switches.size > 5, 'the help was read');
      const missing = {
        values: [...told.values].filter((flag) => !table.values.has(flag)),
        // `--server-side` is a switch of `install` and a value of the others, in one Helm.
        switches: [...told.switches].filter((flag) => !table.switches.has(flag)),
      };
      assert.deepEqual(missing, { values: [], switches: [] });
    });
  }

  test(`what is handed on to ${helm} show chart is taken there`, async () => {
    const told = await helpOf(helm, 'show', 'chart');
    for (const flag of CHART_SOURCE_FLAGS.values) assert.ok(told.values.has(flag), flag);
    for (const flag of CHART_SOURCE_FLAGS.switches) assert.ok(told.switches.has(flag), flag);
  });
}

test('every flag of the table is one of Helm 3 or of Helm 4', async () => {
  for (const command of ['install', 'upgrade', 'rollback', 'uninstall'] as const) {
    const told = mergeTables(...(await Promise.all(HELMS.map((helm) => helpOf(helm, command)))));
    // Deprecated ones, which Helm hides but takes.
    const hidden = new Set(['--atomic', '--force', '--recreate-pods']);
    const { values, switches } = flagsOf(command);
    const unknown = [...values, ...switches].filter(
      (flag) => !told.values.has(flag) && !told.switches.has(flag) && !hidden.has(flag),
    );
    assert.deepEqual(unknown, [], command);
  }
  assert.ok(GLOBAL_FLAGS.values.has('--namespace'));
});
