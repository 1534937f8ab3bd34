import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlPlane, startControlPlane } from '../cluster/harness/control-plane.ts';
import { belayNamespace } from '../cluster/harness/install-belay.ts';
import type { Progress } from '../cluster/harness/progress.ts';
import { waitUntil } from '../cluster/harness/wait-until.ts';
import { succeeds } from '../cluster/support/asking.ts';
import { leaderOf, metricsOf, type Samples } from '../cluster/support/sweeping.ts';
import { forAll } from './for-all.ts';
import { FORGED_NAMESPACE, forgeRelease, OBJECTS_A_RELEASE, pathOfForged } from './forged-releases.ts';
import { compared, type Line, mebibytes, seconds, toTable } from './report.ts';

const PASS_TIMEOUT_MS = 3_600_000;

/**
 * One sweep over so many releases in which nothing has drifted, and one over the same with one drifted object each. On a plane of its own,
 * without controllers: what aggregates ClusterRoles is one of them, so that the roles are bound one by one here.
 */
export const measureSweep = async (
  releases: number,
  env: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<readonly Line[]> => {
  const plane = await startControlPlane({ controllers: false, helm: [], intervals: 'shipped', quiet: true });
  try {
    return await measure(plane, releases, env, progress);
  } finally {
    await plane.stop();
  }
};

const measure = async (
  plane: ControlPlane,
  releases: number,
  env: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<readonly Line[]> => {
  const objects = releases * OBJECTS_A_RELEASE;
  const names = Array.from({ length: releases }, (_, index) => `web-${index}`);
  progress.say(`making ${releases} releases of ${OBJECTS_A_RELEASE} objects`);
  succeeds(await plane.kubectl(['create', 'namespace', FORGED_NAMESPACE]));
  await forAll(plane, names, forgeRelease);

  progress.say('the first sweep: nothing has drifted');
  await plane.installBelay({ overlay: 'repair', env });
  for (const role of ['belay-sweep', 'belay-drift-readable-kinds', 'belay-drift-writable-kinds']) {
    const account = `--serviceaccount=${belayNamespace}:belay`;
    succeeds(await plane.kubectl(['create', 'clusterrolebinding', role, `--clusterrole=${role}`, account]));
  }
  await plane.belay.replicas[0]?.restart();
  const clean = await waitForPass(plane, releases);
  const ofClean = toLines(`sweep of ${releases} releases, ${objects} objects, none drifted`, clean, releases);
  // The second one takes its time, too.
  progress.say(`the first sweep is through\n${toTable(ofClean)}`);

  progress.say(`the second sweep: ${releases} objects have drifted while Belay was away`);
  await plane.belay.stop();
  await forAll(plane, names, (client, name) =>
    client.send(
      'PATCH',
      pathOfForged('ConfigMap', name),
      { data: { GREETING: 'other' } },
      'application/merge-patch+json',
    ),
  );
  await plane.belay.start();
  const drifted = await waitForPass(plane, releases);
  const found = drifted.samples.get('belay_drifted_objects_all{drift="changed"}') ?? 0;

  return [
    ...ofClean,
    ...toLines('- the same, one object of each release drifted', drifted, releases),
    {
      what: '- drifted objects found in that one sweep',
      measured: String(found),
      figure: String(releases),
      isReached: found === releases,
    },
  ];
};

/** The figure to reach, of the whole process (docs/benchmarks.md#the-sweep). */
const MAX_RSS_MIB = 256;

const toLines = (what: string, { samples, peakMib }: Pass, releases: number): readonly Line[] => {
  const of = (name: string): number => samples.get(name) ?? Number.NaN;
  const took = of('belay_sweep_last_pass_seconds');
  const share = (100 * of('process_cpu_seconds_total')) / took;
  const requests = of('belay_sweep_requests_total');
  return [
    { what, measured: seconds(took) },
    {
      what: '  processor time of Belay since its start',
      measured: `${seconds(of('process_cpu_seconds_total'))} (${share.toFixed(0)} % of a core)`,
    },
    {
      what: '  requests to the API server',
      measured: `${requests} (${(requests / releases).toFixed(1)} a release, ${(requests / took).toFixed(0)} a second)`,
    },
    compared('  resident memory, at most', peakMib, ['<=', MAX_RSS_MIB], mebibytes),
  ];
};

interface Pass {
  /** When it was over. */
  readonly samples: Samples;
  /** The most that was seen until then. */
  readonly peakMib: number;
}

const SAMPLE_EVERY_MS = 1_000;

/** Resolves when the leader has gone through all of them. */
const waitForPass = async (plane: ControlPlane, releases: number): Promise<Pass> => {
  const leader = await leaderOf(plane);
  let peakMib = 0;
  const samples = await waitUntil(
    'the sweep is through',
    async () => {
      // To tell its figures is work as well.
      await sleep(SAMPLE_EVERY_MS);
      const now = await metricsOf(leader);
      peakMib = Math.max(peakMib, (now.get('process_resident_memory_bytes') ?? Number.NaN) / 2 ** 20);
      return (now.get('belay_sweep_last_pass_releases') ?? 0) >= releases ? now : undefined;
    },
    { timeoutMs: PASS_TIMEOUT_MS },
  );
  return { samples, peakMib };
};
