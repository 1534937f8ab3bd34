/**
 * `make up`: a control plane with Belay that stays. Reads REPLICAS (1), STALE_AFTER (Belay's own default) and BELAY (`no`
 * leaves Belay out) from the environment, and BELAY_KUBERNETES (such as `1.30`; the newest).
 */
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { findOrMakeBinaries } from './binaries.ts';
import { startControlPlane } from './control-plane.ts';
import { buildBelay } from './install-belay.ts';
import { isRunning, keptDir, readKeptPlane, writeKeptPlane } from './kept-plane.ts';
import { chooseKubernetes } from './kubernetes-versions.ts';
import { endRecorded } from './processes.ts';
import { programNames } from './programs.ts';
import { createProgress } from './progress.ts';

const progress = createProgress();
process.on('uncaughtException', ({ message }) => {
  progress.say(message);
  process.exit(1);
});
const withBelay = process.env.BELAY !== 'no';
const replicas = Number(process.env.REPLICAS || 1);
if (!Number.isInteger(replicas) || replicas < 1 || replicas > 9)
  throw new Error('REPLICAS must be a number from 1 to 9');
const staleAfter = process.env.STALE_AFTER;

if (withBelay) await buildBelay(); // Before anything is started: what does not compile, should not wait.
const bin = await findOrMakeBinaries(programNames, progress);
await mkdir(join(keptDir, 'bin'), { recursive: true });
for (const [name, path] of Object.entries(bin)) {
  await rm(join(keptDir, 'bin', name), { force: true });
  await symlink(path, join(keptDir, 'bin', name));
}

const { version: kubernetes } = chooseKubernetes();
const belayWanted = withBelay ? `replicas=${replicas} staleAfter=${staleAfter ?? ''}` : 'no Belay';
const wanted = `Kubernetes ${kubernetes}, ${belayWanted}`;
const kept = await readKeptPlane();
if (kept && kept.wanted === wanted && isRunning(kept)) {
  progress.say(`already up at ${kept.server} (${wanted})`);
} else {
  if (kept) {
    progress.say(
      isRunning(kept)
        ? `it is up with ${kept.wanted}: restarting it with ${wanted}`
        : 'ending what is left of the last one',
    );
    await endRecorded(kept.processes);
    // What another version has stored, this one may be unable to read.
    if (kept.kubernetes !== kubernetes) await rm(join(keptDir, 'etcd'), { recursive: true, force: true });
  }
  const plane = await startControlPlane({
    dir: keptDir,
    pods: true,
    intervals: 'shipped',
    progress,
    belay: withBelay && { replicas, drainSeconds: 10, ...(staleAfter && { staleAfter }) },
  });
  if (!withBelay) {
    // Left from a time with Belay, its webhooks would refuse every record.
    const kinds = 'validatingwebhookconfigurations,mutatingwebhookconfigurations';
    await plane.kubectl(['delete', kinds, 'belay', '--ignore-not-found']);
  }
  await writeKeptPlane({ wanted, kubernetes, server: plane.server, processes: plane.processes });
  plane.leaveRunning();
  progress.say(`up at ${plane.server} (${wanted}); logs are in ${join(keptDir, 'logs')}`);
}

console.log(`
export KUBECONFIG=${join(keptDir, 'admin.kubeconfig')}
export PATH=${join(keptDir, 'bin')}:$PATH

# make user NAME=dev GROUPS=devs   a kubeconfig for somebody else
# make down                        ends it`);
