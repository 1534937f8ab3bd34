import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createFloods, startFlood, TENANT } from '../bench/floods.ts';
import { createApiClient } from './harness/api-client.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { historyOf, isDenied, SHOP, succeeds } from './support/asking.ts';

/**
 * A tenant with the built-in ClusterRole `edit` in one namespace floods Belay, and another tenant works in a namespace of its own. How much memory
 * and time it takes is measured by `BENCH_ONLY=floods make bench`; here it is whether everything goes on and holds.
 */

const HONEST = 'honest';
const MAX_PEAK_MIB = 512;

let plane: ControlPlane;
let tenant: string;
let owner: string;

before(async () => {
  plane = await startControlPlane({ quiet: true, helm: ['helm4'], belay: {} });
  [tenant, owner] = await Promise.all([plane.user('tenant'), plane.user('owner')]);
  for (const [namespace, user] of [
    [TENANT, 'tenant'],
    [HONEST, 'owner'],
  ] as const) {
    succeeds(await plane.kubectl(['create', 'namespace', namespace]));
    const role = ['create', 'rolebinding', user, '--clusterrole=edit', `--user=${user}`, '-n', namespace];
    succeeds(await plane.kubectl(role));
  }
});
after(() => plane?.stop());

const peakMib = (): number => {
  const status = readFileSync(`/proc/${plane.belay.replicas[0]?.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
};

for (const [index, flood] of createFloods().entries()) {
  test(`while a tenant sends ${flood.what}, another installs, upgrades, and keeps a freeze`, async () => {
    const helm = (...args: readonly string[]) => plane.helm4([...args, '-n', HONEST], { as: owner });
    const frozen = `frozen-${index}`;
    const release = `web-${index}`;
    succeeds(await helm('install', frozen, SHOP));
    const freeze = ['annotate', 'secret', `sh.helm.release.v1.${frozen}.v1`, 'belay.dev/freeze=flood', '-n', HONEST];
    succeeds(await plane.kubectl(freeze, { as: owner }));
    const client = createApiClient(tenant);
    await flood.prepare(client);
    client.close();
    // Its manifest is in no cache then.
    await plane.belay.replicas[0]?.restart();
    const running = startFlood(flood, tenant);
    try {
      const edit = ['scale', 'deployment', frozen, '--replicas=7', '-n', HONEST];
      const refused = await plane.kubectl(edit, { as: owner });
      assert.notEqual(refused.code, 0, 'a frozen release was changed');
      assert.match(refused.stderr, /\[Belay(Frozen|Drift|Unavailable)\]/);
      succeeds(await helm('install', release, SHOP));
      succeeds(await helm('upgrade', release, SHOP, '--set', 'greeting=flooded'));
      isDenied(await helm('upgrade', frozen, SHOP), 'BelayFrozen');
    } finally {
      await running.stop();
    }
    assert.equal(await historyOf(plane, HONEST, release), 'v1 superseded, v2 deployed');
    assert.ok(running.answered() > 0);
    assert.ok(peakMib() <= MAX_PEAK_MIB, `${peakMib()} MiB`);
  });
}
