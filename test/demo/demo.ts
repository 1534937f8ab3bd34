import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane } from '../cluster/harness/control-plane.ts';
import { CHARTS, createStory } from './story.ts';

/** The main job, told as a story: real Helm, real kubectl, a real control plane. Exits 1 if anything went otherwise than told. */

/** Ten minutes unless set; short here, so that nobody has to wait for the last scene. */
const STALE_AFTER_SECONDS = 15;

const plane = await startControlPlane({ pods: true, belay: { staleAfter: `${STALE_AFTER_SECONDS}s` } });
const { scene, say, run, background, addUser, waitForStatus, finish } = createStory(plane, CHARTS);

const prepare = async (args: readonly string[]): Promise<void> => {
  const { code, stderr } = await plane.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
};

try {
  // The built-in roles, as Belay's install extends them: `edit` may deploy and lock, `admin` may unlock as well.
  await prepare(['create', 'namespace', 'shop']);
  await prepare(['create', 'rolebinding', 'edit', '-n', 'shop', '--clusterrole=edit', '--user=ci', '--user=dev']);
  await prepare(['create', 'rolebinding', 'admin', '-n', 'shop', '--clusterrole=admin', '--user=sre']);
  for (const name of ['ci', 'dev', 'sre']) await addUser(name);

  scene('1. Two releases, by Helm 4 and by Helm 3: nothing about Helm changes.');
  await run('ci', 'helm4 install web ./shop -n shop', { allowed: /STATUS: deployed/ });
  await run('ci', 'helm3 install api ./shop -n shop', { allowed: /STATUS: deployed/ });

  scene("2. Changes behind Helm's back are refused before they are made.");
  await run('dev', 'kubectl set image deployment/web web=nginx:1.28 -n shop', {
    denied: 'BelayDrift',
    saying: [/containers\[web\]\.image: "nginx:1\.27" -> "nginx:1\.28"/, /helm upgrade web/],
  });
  await run('dev', `kubectl patch configmap web -n shop -p '{"data":{"GREETING":"hi"}}'`, {
    denied: 'BelayDrift',
    saying: [/data\.GREETING: "hello" -> "hi"/],
  });
  await run('dev', 'kubectl scale deployment/api --replicas=5 -n shop', {
    denied: 'BelayDrift',
    saying: [/spec\.replicas: 2 -> 5/],
  });
  await run('dev', 'kubectl delete service api -n shop', { denied: 'BelayDrift' });
  say(
    'What belongs to running a service goes on: a restart, and the ReplicaSets and Pods that Kubernetes makes of it.',
  );
  await run('dev', 'kubectl rollout restart deployment/web -n shop', { allowed: /restarted/ });
  await run('dev', 'kubectl rollout status deployment/web -n shop --timeout=60s', {
    allowed: /successfully rolled out/,
  });

  scene('3. One operation at a time, whoever starts it. ci upgrades, and the migration hook takes a while.');
  const upgrade = background('ci', 'helm4 upgrade web ./shop -n shop --set image=nginx:1.29,hooks.preUpgradeDelay=10s');
  await waitForStatus('web', 'pending-upgrade');
  const heldByCi = {
    denied: 'BelayOperationInFlight',
    saying: [/"?ci"?/, /upgrade/, /revision 2/, /belay\.dev\/break/],
  } as const;
  await run('dev', 'helm4 rollback web 1 -n shop', heldByCi);
  await run('dev', 'helm3 uninstall web -n shop', {
    ...heldByCi,
    saying: [...heldByCi.saying, /failed to delete release: web/],
  });
  await run('dev', 'helm3 upgrade web ./shop -n shop', {
    refused: /another operation \(install\/upgrade\/rollback\) is in progress/,
  });
  say('(Helm itself looks only before an upgrade. The rollback and the uninstall would have trampled it.)');
  await upgrade.ended({ allowed: /STATUS: deployed/ });

  scene('4. Freeze: one annotation, and nothing about the release changes.');
  const friday = 'belay.dev/freeze="black friday, ask #sre"';
  await run('dev', `kubectl annotate secret -n shop -l owner=helm,name=web ${friday}`, { allowed: /annotated/ });
  const frozen = { denied: 'BelayFrozen', saying: [/black friday, ask #sre/, /dev/, /belay\.dev\/freeze-/] } as const;
  await run('ci', 'helm4 upgrade web ./shop -n shop --set image=nginx:1.30', frozen);
  await run('ci', 'helm4 uninstall web -n shop', {
    ...frozen,
    saying: [...frozen.saying, /failed to delete release: web/],
  });
  await run('ci', 'kubectl get deployment,service,configmap -n shop -o name', {
    allowed: /deployment\.apps\/web[\s\S]*service\/web[\s\S]*configmap\/web/,
  });
  say('ci may freeze, but not unfreeze: that takes the verb `unlock`, which the role `admin` has.');
  await run('ci', 'kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/freeze-', {
    denied: 'BelayLockForbidden',
  });
  await run('sre', 'kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/freeze-', {
    allowed: /annotated/,
  });
  await run('ci', 'helm4 upgrade web ./shop -n shop --set image=nginx:1.30', { allowed: /STATUS: deployed/ });

  scene('5. A pipeline is killed midway, and leaves the release stuck.');
  const doomed = background('ci', 'helm3 upgrade api ./shop -n shop --set hooks.preUpgradeDelay=60s');
  await waitForStatus('api', 'pending-upgrade');
  await doomed.kill();
  await run('dev', 'helm3 rollback api 1 -n shop', { denied: 'BelayOperationInFlight', saying: [/"?ci"?/, /upgrade/] });
  say(
    `Nothing is heard of it for ${STALE_AFTER_SECONDS} s (10 minutes unless set): it counts as dead, and the next one takes over.`,
  );
  await sleep((STALE_AFTER_SECONDS + 1) * 1000);
  await run('dev', 'helm3 rollback api 1 -n shop', { allowed: /Rollback was a success/ });
  finish();
} finally {
  await plane.stop();
}
