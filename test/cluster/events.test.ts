import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventToNote, Regarding } from '../../src/events/event-object.ts';
import { createEvents, type Events } from '../../src/events/events.ts';
import { DEFAULT_INTERVALS } from '../../src/intervals/intervals.ts';
import { type Api, createApi } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { type CommandOptions, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import {
  createNamespace,
  fails,
  inBackground,
  isDenied,
  makeNamespace,
  SHOP,
  succeeds,
  waitForHook,
} from './support/asking.ts';

/** What people find when they ask Kubernetes what has happened to a release. */

interface StoredEvent {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid?: string };
  readonly reason: string;
  readonly type: string;
  readonly message: string;
  readonly count: number;
  readonly reportingInstance: string;
}

let plane: ControlPlane;
let api: Api;

before(async () => {
  plane = await startControlPlane({ quiet: true, helm: ['helm4'] });
  api = createApi(connect(plane.adminKubeconfig, Date.now));
});
after(() => plane?.stop());

/** Of Belay's alone: controllers write Events as well. */
const eventsIn = (namespace: string): Promise<readonly StoredEvent[]> =>
  plane.api.list<StoredEvent>('event', { namespace, fields: 'reportingComponent=belay' });

const shorten = (events: readonly StoredEvent[]): readonly string[] =>
  events.map(({ reason, involvedObject: { kind, name } }) => `${reason} ${kind} ${name}`).sort();

const uidOf = (object: string, namespace: string): Promise<string> =>
  plane.api.field(object, '.metadata.uid', { namespace });

describe('what is noted', () => {
  const namespace = 'noted';
  const stops: AbortController[] = [];
  const running: Promise<void>[] = [];
  let secret: Regarding;
  let configMap: Regarding;

  /** A replica, with a clock that is `aheadMs` ahead. */
  const replica = (
    instance: string,
    aheadMs = 0,
  ): { events: Events; settle: () => Promise<void>; warnings: string[] } => {
    const warnings: string[] = [];
    const log = createLog({ write: (line) => warnings.push(line) }, 'info');
    const events = createEvents({
      api,
      log,
      intervals: DEFAULT_INTERVALS.events,
      nowMs: () => Date.now() + aheadMs,
      instance,
    });
    const stop = new AbortController();
    stops.push(stop);
    const done = events.run(stop.signal);
    running.push(done);
    return {
      events,
      warnings,
      settle: async () => {
        stop.abort();
        await done;
      },
    };
  };

  const refusal = (regarding: readonly Regarding[], more: Partial<EventToNote> = {}): EventToNote => ({
    reason: 'FrozenWriteRefused',
    type: 'Warning',
    message: 'upgrade of release web in namespace noted refused: it is frozen: "sale"',
    release: { namespace, name: 'web' },
    action: 'Upgrade',
    regarding,
    ...more,
  });

  before(async () => {
    await createNamespace(plane, namespace);
    const name = 'sh.helm.release.v1.web.v1';
    succeeds(await plane.kubectl(['create', 'secret', 'generic', name, '-n', namespace]));
    succeeds(await plane.kubectl(['create', 'configmap', 'web', '-n', namespace]));
    const of = async (kind: string, object: string): Promise<Regarding> => ({
      apiVersion: 'v1',
      kind,
      namespace,
      name: object,
      uid: await uidOf(`${kind}/${object}`, namespace),
    });
    [secret, configMap] = await Promise.all([of('Secret', name), of('ConfigMap', 'web')]);
  });
  after(async () => {
    for (const stop of stops) stop.abort();
    await Promise.all(running);
  });

  test('is shown by every kubectl command that shows Events', async () => {
    const { events, settle } = replica('belay-0');
    events.note(refusal([secret, configMap]));
    await settle();
    assert.deepEqual(events.counts(), { written: 2, held: 0, dropped: { queue: 0, limit: 0, failed: 0 } });
    const kubectl = async (...args: readonly string[]) =>
      succeeds(await plane.kubectl([...args, '-n', namespace])).replaceAll(/ +/g, ' ');
    const line =
      /Warning FrozenWriteRefused \S+ upgrade of release web in namespace noted refused: it is frozen: "sale"/;
    // kubectl describes no Secret with its Events.
    assert.match(await kubectl('events', `--for=secret/${secret.name}`), line);
    assert.match(await kubectl('get', 'events', '--sort-by=.lastTimestamp'), line);
    assert.match(await kubectl('get', 'events', '-o', 'wide'), /belay, belay-0/);
    assert.match(
      await kubectl('describe', 'configmap', 'web'),
      /Warning FrozenWriteRefused \S+ belay upgrade of release web/,
    );
  });

  test('again within the minute, by any replica, adds no Event and no write', async () => {
    const stored = await eventsIn(namespace);
    for (const instance of ['belay-0', 'belay-1']) {
      const { events, settle } = replica(instance);
      for (let i = 0; i < 10; i += 1) events.note(refusal([secret, configMap]));
      await settle();
      assert.deepEqual(events.counts(), { written: 0, held: 20, dropped: { queue: 0, limit: 0, failed: 0 } });
    }
    assert.deepEqual(await eventsIn(namespace), stored);
  });

  test('again after a minute is added to the same Event, and the latest story is told', async () => {
    const [later, evenLater] = [replica('belay-1', 61_000), replica('belay-0', 125_000)];
    later.events.note(refusal([secret, configMap], { message: 'another reason' }));
    await later.settle();
    evenLater.events.note(refusal([secret]));
    evenLater.events.note(refusal([secret], { message: 'the last' }));
    await evenLater.settle();
    const told = Object.fromEntries(
      (await eventsIn(namespace)).map(({ involvedObject, count, message, reportingInstance }) => [
        involvedObject.kind,
        { count, message, reportingInstance },
      ]),
    );
    // What happened a second time within the minute waits for the next one to count it.
    assert.deepEqual(told, {
      Secret: { count: 3, message: refusal([]).message, reportingInstance: 'belay-0' },
      ConfigMap: { count: 2, message: 'another reason', reportingInstance: 'belay-1' },
    });
    assert.match(
      succeeds(await plane.kubectl(['describe', 'configmap', 'web', '-n', namespace])),
      /\(x2 over .*another reason/,
    );
  });

  test('by two replicas at once is one Event', async () => {
    const replicas = Array.from({ length: 4 }, (_, index) => replica(`belay-${index}`));
    for (const { events } of replicas) events.note(refusal([secret], { reason: 'OperationRefused' }));
    await Promise.all(replicas.map(({ settle }) => settle()));
    const stored = (await eventsIn(namespace)).filter(({ reason }) => reason === 'OperationRefused');
    assert.deepEqual(
      stored.map(({ count }) => count),
      [1],
    );
    const total = replicas.map(({ events }) => events.counts());
    assert.equal(
      total.reduce((sum, { written }) => sum + written, 0),
      1,
    );
    assert.equal(
      total.reduce((sum, { held }) => sum + held, 0),
      3,
    );
  });

  test('of a cluster-scoped object with a name that no Event may have is kept in default', async () => {
    const { events, settle } = replica('belay-0');
    const regarding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      namespace: '',
      name: 'system:x',
    };
    events.note(refusal([regarding]));
    await settle();
    assert.deepEqual(shorten(await eventsIn('default')), ['FrozenWriteRefused ClusterRole system:x']);
  });

  test('with the longest of texts is taken', async () => {
    const { events, settle } = replica('x'.repeat(500));
    events.note(refusal([secret], { reason: 'LockRefused', message: `\u001b[31m${'ü'.repeat(9_000)}` }));
    await settle();
    assert.equal(events.counts().written, 1);
    const stored = (await eventsIn(namespace)).find(({ reason }) => reason === 'LockRefused');
    assert.match(stored?.message ?? '', /^\\u001b\[31mü+…$/);
  });

  test('in a namespace that is going or gone is of no consequence', async () => {
    const going = 'going';
    await createNamespace(plane, going);
    const held = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', namespace: going, finalizers: ['a.b/c'] },
    };
    succeeds(await plane.kubectl(['create', '-f', '-'], { input: JSON.stringify(held) }));
    succeeds(await plane.kubectl(['delete', 'namespace', going, '--wait=false']));
    const { events, settle, warnings } = replica('belay-0');
    for (const namespace of [going, 'gone']) {
      for (const reason of ['FrozenWriteRefused', 'DriftRefused', 'LockRefused'])
        events.note(refusal([{ ...secret, namespace }], { reason, release: { namespace, name: 'web' } }));
    }
    await settle();
    assert.deepEqual(events.counts(), { written: 0, held: 0, dropped: { queue: 0, limit: 0, failed: 6 } });
    assert.deepEqual(warnings, []);
    succeeds(await plane.kubectl(['patch', 'configmap', 'x', '-n', going, '--patch={"metadata":{"finalizers":null}}']));
  });
});

describe('through Belay', () => {
  let ci: string;
  let sre: string;

  before(async () => {
    await plane.installBelay({ staleAfter: '10m' });
    [ci, sre] = await Promise.all([plane.user('ci'), plane.user('sre')]);
  });

  /** A namespace with a release, and what is done in it. */
  const place = (namespace: string) => {
    const as = (user: string) => ({
      helm: (...args: readonly string[]) => plane.helm4([...args, '-n', namespace], { as: user }),
      kubectl: (args: readonly string[], options: CommandOptions = {}) =>
        plane.kubectl([...args, '-n', namespace], { ...options, as: user }),
    });
    return {
      ci: () => as(ci),
      sre: () => as(sre),
      create: async (...values: readonly string[]) => {
        await makeNamespace(plane, namespace, { editors: ['ci'], admins: ['sre'] });
        succeeds(await as(ci).helm('install', 'web', SHOP, ...values));
      },
      annotate: async (...annotations: readonly string[]) =>
        succeeds(await as(sre).kubectl(['annotate', 'secret', '-l', 'owner=helm,name=web', ...annotations])),
      /** Belay's Events of these reasons, once there are any; the promise is 5 s. */
      events: (...reasons: readonly string[]) =>
        waitUntil(
          `Events ${reasons.join(', ')} in ${namespace}`,
          async () => {
            const found = (await eventsIn(namespace)).filter(({ reason }) => reasons.includes(reason));
            return reasons.every((reason) => found.some((event) => event.reason === reason)) ? found : undefined;
          },
          { timeoutMs: 5_000 },
        ),
    };
  };

  test('a refused upgrade leaves one Event on the record, with who tried', async () => {
    const { create, annotate, events, ci } = place('refused-upgrade');
    await create();
    await annotate('belay.dev/freeze=black friday');
    isDenied(await ci().helm('upgrade', 'web', SHOP), 'BelayFrozen');
    const [event, ...more] = await events('FrozenWriteRefused');
    assert.deepEqual(more, []);
    const record = 'sh.helm.release.v1.web.v1';
    assert.deepEqual(event?.involvedObject, {
      apiVersion: 'v1',
      kind: 'Secret',
      namespace: 'refused-upgrade',
      name: record,
      uid: await uidOf(`secret/${record}`, 'refused-upgrade'),
    });
    assert.equal(event.type, 'Warning');
    assert.equal(
      event.message,
      'upgrade of release web in namespace refused-upgrade refused: it is frozen: "black friday" (tried by ci)',
    );
    // Whoever may look at the release sees it.
    const shown = await ci().kubectl(['events', `--for=secret/${record}`]);
    assert.match(succeeds(shown), /FrozenWriteRefused .*tried by ci/);
    await events('ReleaseLocked');
  });

  test('a refused kubectl edit of a Deployment is seen where the Deployment is described', async () => {
    const { create, ci } = place('edited');
    await create();
    const env = { KUBE_EDITOR: 'sed -i s/nginx:1.27/nginx:1.28/' };
    fails(await ci().kubectl(['edit', 'deployment', 'web'], { env }), /BelayDrift/);
    const line = /Warning +DriftRefused +\S+ +belay +change of Deployment web in namespace edited refused/;
    await waitUntil('the description tells of it', async () => {
      const { stdout } = await ci().kubectl(['describe', 'deployment', 'web']);
      return line.test(stdout) || undefined;
    });
  });

  test('changes by hand while the release is open are seen, with the reason', async () => {
    const { create, annotate, events, ci } = place('opened');
    await create();
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await annotate('belay.dev/open=migration', `belay.dev/open-until=${until}`);
    succeeds(await ci().kubectl(['set', 'image', 'deployment/web', 'web=nginx:1.28']));
    succeeds(await ci().kubectl(['scale', 'deployment/web', '--replicas=3']));
    const used = await waitUntil('the Event on the Deployment', async () =>
      (await events('OpenWindowUsed')).find(({ involvedObject }) => involvedObject.kind === 'Deployment'),
    );
    assert.equal(used.type, 'Normal');
    assert.match(used.message, /by ci.*migration/);
    assert.match(succeeds(await ci().kubectl(['describe', 'deployment', 'web'])), /OpenWindowUsed/);
    const [opened] = await events('ReleaseOpened');
    assert.match(opened?.message ?? '', /^sre wrote .*migration/);
  });

  test('to break an operation and to take it over is seen on the records', async () => {
    const namespace = 'broken';
    const { create, events, ci, sre } = place(namespace);
    await create();
    const args = ['upgrade', 'web', SHOP, '--set', 'hooks.preUpgradeDelay=1s', '-n', namespace];
    const upgrade = inBackground(plane, 'helm4', args, { as: plane.adminKubeconfig });
    await waitForHook(plane, namespace, 'web-migrate');
    await upgrade.kill();
    isDenied(await ci().helm('rollback', 'web', '1'), 'BelayOperationInFlight');
    const stuck = 'sh.helm.release.v1.web.v2';
    assert.deepEqual(shorten(await events('OperationRefused')), [`OperationRefused Secret ${stuck}`]);
    succeeds(await sre().kubectl(['annotate', 'secret', stuck, 'belay.dev/break=its job was cancelled']));
    succeeds(await ci().helm('rollback', 'web', '1', '--no-hooks'));
    const told = await events('OperationBroken', 'OperationTakenOver');
    assert.deepEqual(shorten(told), [
      `OperationBroken Secret ${stuck}`,
      'OperationTakenOver Secret sh.helm.release.v1.web.v3',
    ]);
    for (const { type } of told) assert.equal(type, 'Warning');
    assert.match(told.find(({ reason }) => reason === 'OperationBroken')?.message ?? '', /sre .*its job was cancelled/);
  });
});
