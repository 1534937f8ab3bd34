import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane } from '../cluster/harness/control-plane.ts';
import { createStory, layOutCharts } from './story.ts';

/** The main job, told as a story: real Helm, real kubectl, a real control plane. Exits 1 if anything went otherwise than told. */

/** Ten minutes unless set; short here, so that nobody has to wait for the last scene. */
const STALE_AFTER_SECONDS = 15;

const plane = await startControlPlane({
  pods: true,
  intervals: 'shipped',
  belay: { staleAfter: `${STALE_AFTER_SECONDS}s` },
});
const charts = await layOutCharts(join(plane.dir, 'charts'), ['1.5.0', '1.6.0']);
const { scene, say, run, background, addUser, file, waitForStatus, finish } = createStory(plane, charts);

const prepare = async (args: readonly string[]): Promise<void> => {
  const { code, stderr } = await plane.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
};

const policyOf = (rules: string): string => `apiVersion: belay.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: shop}
spec:
  match: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}
${rules}
`;

try {
  // The built-in roles, as Belay's install extends them: `edit` may deploy and lock, `admin` may unlock as well.
  await prepare(['create', 'namespace', 'shop']);
  await prepare(['create', 'rolebinding', 'edit', '-n', 'shop', '--clusterrole=edit', '--user=ci', '--user=dev']);
  await prepare(['create', 'rolebinding', 'admin', '-n', 'shop', '--clusterrole=admin', '--user=sre']);
  for (const name of ['ci', 'dev', 'sre']) await addUser(name);
  await addUser('platform', ['system:masters']);

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

  scene('6. Second act: versions. web is pinned to 1.4.x, and the branch that jumps ahead is refused.');
  await run('dev', 'kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/pin=1.4.x', {
    allowed: /annotated/,
  });
  await run('ci', 'helm4 upgrade web ./shop-1.5.0 -n shop', {
    denied: 'BelayPinned',
    saying: [/to chart shop-1\.5\.0/, /pinned to "1\.4\.x"/, /deployed: shop-1\.4\.0/],
  });

  scene('7. The platform team rules out downgrades for every release of the namespace, by a policy.');
  await file('policy.yaml', policyOf('  versions:\n    downgrade: Deny'));
  const apply = async (): Promise<void> => {
    await run('platform', 'kubectl apply -f policy.yaml', { allowed: /releasepolicy\.belay\.dev\/shop/ });
    await run('platform', 'kubectl wait --for=condition=Ready releasepolicy/shop --timeout=10s', {
      allowed: /condition met/,
    });
  };
  await apply();
  await run('ci', 'helm3 upgrade api ./shop-1.6.0 -n shop', { allowed: /STATUS: deployed/ });
  say('An older branch comes by:');
  await run('ci', 'helm3 upgrade api ./shop-1.5.0 -n shop', {
    denied: 'BelayDowngrade',
    saying: [/below shop-1\.6\.0, which was deployed last/, /ReleasePolicy shop/],
  });

  scene('8. A freeze window: by the clock, for whoever deploys from git as well.');
  const now = new Date(Date.now() - 60_000);
  const schedule = `${now.getUTCMinutes()} ${now.getUTCHours()} * * *`;
  await file(
    'policy.yaml',
    policyOf(`  freeze:
    windows:
      - {schedule: "${schedule}", duration: 2h, timeZone: Etc/UTC, reason: "stock taking"}`),
  );
  await apply();
  await run('ci', 'helm4 upgrade api ./shop-1.6.0 -n shop --set image=nginx:1.31', {
    denied: 'BelayFrozen',
    saying: [/stock taking/, /frozen by ReleasePolicy shop, until \S+Z \(in 1h5\dm\)/],
  });
  say('What was refused is left as Events, on the releases and on their objects:');
  await sleep(1_000);
  await run('dev', 'kubectl events -n shop --types=Warning', { allowed: /FrozenWriteRefused[\s\S]*stock taking/ });
  finish();
} finally {
  await plane.stop();
}
