import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { installFile } from '../../packaging/install-file.ts';
import { API_SERVER_LABEL_VALUES, API_SERVER_METRICS } from '../unit/monitoring/api-server-metrics.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { fails, isDenied, SHOP, succeeds } from './support/asking.ts';
import { writeKustomization } from './support/kustomization.ts';

/** The one file and the components, on a real API server with real controllers. */

const IMAGE = 'images.example.com/belay:1.2.3';
const namespace = 'belay-system';
let plane: ControlPlane;

interface Pod {
  readonly spec: {
    readonly priority: number;
    readonly hostNetwork?: boolean;
    readonly containers: readonly { readonly image: string; readonly args: readonly string[] }[];
  };
  readonly status: { readonly phase: string };
}

const kubectl = (...args: string[]) => plane.kubectl(args);

/** Resolves when a Pod like this was let in and runs. */
const waitForPod = (what: string, isIt: (pod: Pod) => boolean): Promise<Pod> =>
  waitUntil(`a Pod ${what}`, async () => {
    const pods = await plane.api.list<Pod>('pod', { namespace });
    return pods.find((pod) => pod.status.phase === 'Running' && isIt(pod));
  });

const isGuarded = async (): Promise<void> => {
  isDenied(await kubectl('delete', 'configmap', 'web', '-n', 'shop'), 'BelayDrift');
};

before(async () => {
  plane = await startControlPlane({ pods: true, quiet: true, ownCluster: true });
});
after(() => plane?.stop());

describe('the one file', () => {
  test('is applied to a new cluster at once, and Belay refuses what it should', async () => {
    const file = join(plane.dir, 'install.yaml');
    await writeFile(file, await installFile(IMAGE));
    await plane.installBelay({
      install: async () => {
        succeeds(await kubectl('apply', '-f', file));
      },
    });
    await waitForPod('of that image', ({ spec }) => spec.containers[0]?.image === IMAGE);
    succeeds(await kubectl('create', 'namespace', 'shop'));
    succeeds(await plane.helm4(['install', 'web', SHOP, '-n', 'shop']));
    await isGuarded();
  });
});

describe('the components', () => {
  const apply = async (...components: string[]) =>
    kubectl('apply', '-k', await writeKustomization(join(plane.dir, components.join('-')), components));

  test('that need nothing else are applied together, and Belay goes on', async () => {
    succeeds(await apply('network-policy', 'priority-class', 'flow-control', 'gke-private-cluster', 'dashboard'));
    await waitForPod('of that priority and port', ({ spec }) => {
      const [container] = spec.containers;
      return spec.priority === 900_000_000 && container?.args.includes('--port=10250') === true;
    });
    await isGuarded();
  });

  test('flow-control: the requests of Belay go their own way', async () => {
    const own = /apiserver_flowcontrol_dispatched_requests_total\{flow_schema="belay",priority_level="belay"\} [1-9]/;
    await waitUntil('the API server has put some of its requests there', async () => {
      // By what Belay has to look up.
      await isGuarded();
      return own.test(await plane.api.text('/metrics')) || undefined;
    });
  });

  test('host-network: its namespace lets such Pods in', async () => {
    succeeds(await apply('host-network'));
    await waitForPod('on the network of its node', ({ spec }) => spec.hostNetwork === true);
    await isGuarded();
  });

  test('those for the Prometheus Operator fail without it, and change nothing', async () => {
    for (const component of ['pod-monitor', 'service-monitor', 'prometheus-rule'])
      fails(await apply(component), /no matches for kind "(PodMonitor|ServiceMonitor|PrometheusRule)"/);
    await isGuarded();
  });
});

describe('what the alerts ask of the API server', () => {
  const series = async (name: string): Promise<readonly Readonly<Record<string, string>>[]> => {
    const lines = (await plane.api.text('/metrics')).split('\n');
    return lines
      .filter((line) => line.startsWith(`${name}{`) && line.includes('.belay.dev"'))
      .map((line) =>
        Object.fromEntries([...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value])),
      );
  };

  test('is there, by these names and labels, when Belay does not answer', async () => {
    await plane.belay.stop('SIGKILL');
    succeeds(await kubectl('label', 'configmap', 'web', '-n', 'shop', 'while=down'));
    fails(await kubectl('label', 'secret', '-n', 'shop', '-l', 'owner=helm', 'while=down'), /failed calling webhook/);
    for (const [name, labels] of Object.entries(API_SERVER_METRICS)) {
      const found = await series(name);
      assert.ok(found.length > 0, name);
      for (const one of found) assert.deepEqual(Object.keys(one).sort(), [...labels].sort(), name);
    }
    const failed = await series('apiserver_admission_webhook_rejection_count');
    for (const type of API_SERVER_LABEL_VALUES.error_type)
      assert.ok(failed.some(({ error_type, name }) => error_type === type && name === 'records.belay.dev'));
    const open = await series('apiserver_admission_webhook_fail_open_count');
    assert.ok(open.some(({ name }) => name === 'objects.belay.dev'));
  });
});
