import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CommandResult, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import {
  HELMS,
  type Helm,
  historyOf,
  inBackground,
  isDenied,
  letHookPass,
  makeNamespace,
  readRecord,
  revisionsOf,
  SHOP,
  succeeds,
  untouched,
  waitForHook,
} from './support/asking.ts';

/** Who may lock a release and who may lift it, what a lock holds, and that it outlives what Helm does. */

let plane: ControlPlane;
type User = 'ci' | 'dev' | 'sre' | 'owner';
let users: Record<User, string>;

const apply = async (...objects: readonly object[]): Promise<void> => {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  succeeds(await plane.kubectl(['apply', '-f', '-'], { input }));
};

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: {} });
  const [ci, dev, sre, owner] = await Promise.all(['ci', 'dev', 'sre', 'owner'].map((name) => plane.user(name)));
  assert.ok(ci && dev && sre && owner);
  users = { ci, dev, sre, owner };
  // The built-in roles do not let anybody write Namespaces: these may, and so it is Belay that decides.
  const rbac = 'rbac.authorization.k8s.io';
  await apply(
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'namespaces' },
      rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'patch', 'update'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'namespaces' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'namespaces' },
      subjects: ['dev', 'sre', 'owner'].map((name) => ({ apiGroup: rbac, kind: 'User', name })),
    },
  );
});
after(() => plane?.stop());

const FREEZE = 'belay.dev/freeze';
const inSeconds = (seconds: number): string => `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z`;

/** One namespace, and what is done in it. */
const place = (namespace: string, helm: Helm = 'helm4', kind: 'secret' | 'configmap' = 'secret') => {
  const env = { HELM_DRIVER: kind };
  const kubectl = (who: User, ...args: readonly string[]): Promise<CommandResult> =>
    plane.kubectl([...args, '-n', namespace], { as: users[who] });
  return {
    kubectl,
    run: (who: User, ...args: readonly string[]): Promise<CommandResult> =>
      plane[helm]([...args, '-n', namespace], { as: users[who], env }),
    background: (...args: readonly string[]) =>
      inBackground(plane, helm, [...args, '-n', namespace], { as: users.ci, env }),
    annotateAll: (who: User, release: string, ...annotations: readonly string[]) =>
      kubectl(who, 'annotate', kind, '-l', `owner=helm,name=${release}`, '--overwrite', ...annotations),
    annotate: (who: User, release: string, revision: number, ...annotations: readonly string[]) =>
      kubectl(who, 'annotate', kind, `sh.helm.release.v1.${release}.v${revision}`, '--overwrite', ...annotations),
    annotateNamespace: (who: User, ...annotations: readonly string[]) =>
      plane.kubectl(['annotate', 'namespace', namespace, '--overwrite', ...annotations], { as: users[who] }),
    unchanged: (attempt: () => Promise<CommandResult>) => untouched(plane, namespace, attempt),
    locks: async (release: string): Promise<readonly Readonly<Record<string, string>>[]> =>
      (await revisionsOf(plane, namespace, release, kind)).map(({ annotations }) => annotations),
    create: async (): Promise<void> =>
      makeNamespace(plane, namespace, { editors: ['ci', 'dev', 'owner'], admins: ['sre'] }),
  };
};

const namespaceLocks = async (namespace: string): Promise<Readonly<Record<string, string>>> => {
  const found = await plane.api.read(`namespace/${namespace}`);
  return Object.fromEntries(
    Object.entries(found.metadata?.annotations ?? {}).filter(([key]) => key.startsWith('belay.dev/')),
  );
};

for (const helm of HELMS) {
  describe(`locks outlive what ${helm} does`, () => {
    const namespace = `outlive-${helm}`;
    const { create, run, background, annotate, annotateAll, unchanged, locks } = place(namespace, helm);
    before(create);

    test('a freeze written while an upgrade is in flight lets it complete, and holds from then on', async () => {
      for (const [release, lock] of [
        ['all', () => annotateAll('dev', 'all', `${FREEZE}=midway`)],
        ['old', () => annotate('dev', 'old', 1, `${FREEZE}=midway`)],
        ['new', () => annotate('dev', 'new', 2, `${FREEZE}=midway`)],
      ] as const) {
        succeeds(await run('ci', 'install', release, SHOP));
        const upgrade = background('upgrade', release, SHOP, '--set', 'greeting=new,hooks.preUpgradeDelay=1s');
        await waitForHook(plane, namespace, `${release}-migrate`);
        succeeds(await lock());
        await letHookPass(plane, namespace, `${release}-migrate`);
        succeeds(await upgrade.ended);
        assert.equal(await historyOf(plane, namespace, release), 'v1 superseded, v2 deployed');
        const held = (await locks(release)).filter((annotations) => annotations[FREEZE] === 'midway');
        assert.equal(held.length, 1, JSON.stringify(await locks(release)));
        assert.equal(held[0]?.['belay.dev/freeze-by'], 'dev');
        isDenied(await unchanged(() => run('ci', 'upgrade', release, SHOP)), 'BelayFrozen', /midway/, /by dev/);
      }
    });

    test('a freeze lifted while an upgrade is in flight does not come back', async () => {
      succeeds(await run('ci', 'install', 'lifted', SHOP));
      const upgrade = background('upgrade', 'lifted', SHOP, '--set', 'hooks.preUpgradeDelay=1s');
      await waitForHook(plane, namespace, 'lifted-migrate');
      succeeds(await annotateAll('dev', 'lifted', `${FREEZE}=a mistake`));
      succeeds(await annotateAll('sre', 'lifted', `${FREEZE}-`));
      await letHookPass(plane, namespace, 'lifted-migrate');
      succeeds(await upgrade.ended);
      assert.deepEqual(await locks('lifted'), [{}, {}]);
      succeeds(await run('ci', 'upgrade', 'lifted', SHOP, '--set', 'greeting=next'));
      assert.deepEqual(await locks('lifted'), [{}, {}, {}]);
    });

    test('helm test works on a frozen release, and leaves it frozen', async () => {
      succeeds(await run('ci', 'install', 'tested', SHOP, '--set', 'hooks.test=true'));
      succeeds(await annotateAll('dev', 'tested', `${FREEZE}=quiet`));
      const frozen = await locks('tested');
      const tests = background('test', 'tested');
      await waitForHook(plane, namespace, 'tested-test');
      await letHookPass(plane, namespace, 'tested-test');
      succeeds(await tests.ended);
      assert.deepEqual(await locks('tested'), frozen);
      isDenied(await unchanged(() => run('ci', 'upgrade', 'tested', SHOP)), 'BelayFrozen', /quiet/);
    });

    test('what is no freeze goes along with upgrade, failing upgrade, rollback and uninstall --keep-history', async () => {
      succeeds(await run('ci', 'install', 'along', SHOP));
      const open = { 'belay.dev/open': 'migration', 'belay.dev/open-until': inSeconds(3600) };
      succeeds(await annotateAll('sre', 'along', ...Object.entries(open).map(([key, value]) => `${key}=${value}`)));
      const carries = async (count: number) =>
        assert.deepEqual(await locks('along'), [...Array(count - 1).fill({}), open]);
      succeeds(await run('ci', 'upgrade', 'along', SHOP, '--set', 'greeting=two'));
      await carries(2);
      succeeds(await run('ci', 'rollback', 'along', '1'));
      await carries(3);
      assert.notEqual((await run('ci', 'upgrade', 'along', SHOP, '--set', 'badPort=true')).code, 0);
      const afterFailure = await locks('along');
      assert.deepEqual(afterFailure.at(-1), open);
      succeeds(await run('ci', 'upgrade', 'along', SHOP));
      assert.deepEqual((await locks('along')).at(-1), open);
      succeeds(await run('ci', 'uninstall', 'along', '--keep-history'));
      assert.deepEqual((await locks('along')).at(-1), open);
      assert.equal(await plane.api.find('deployment/along', { namespace }), undefined);
    });
  });
}

describe('freeze', () => {
  const namespace = 'freeze';
  const { create, run, annotate, annotateAll, annotateNamespace, unchanged, locks, kubectl } = place(namespace);

  before(async () => {
    await create();
    succeeds(await run('ci', 'install', 'web', SHOP));
    succeeds(await run('ci', 'upgrade', 'web', SHOP, '--set', 'greeting=two'));
    succeeds(await run('ci', 'install', 'api', SHOP));
    const rbac = 'rbac.authorization.k8s.io';
    await apply(
      {
        apiVersion: `${rbac}/v1`,
        kind: 'Role',
        metadata: { name: 'web-owner', namespace },
        rules: [
          { apiGroups: ['belay.dev'], resources: ['releases'], resourceNames: ['web'], verbs: ['unlock', 'open'] },
        ],
      },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata: { name: 'web-owner', namespace },
        roleRef: { apiGroup: rbac, kind: 'Role', name: 'web-owner' },
        subjects: [{ apiGroup: rbac, kind: 'User', name: 'owner' }],
      },
    );
  });

  test('on any stored revision holds, for this release alone', async () => {
    for (const revision of [1, 2]) {
      succeeds(await annotate('dev', 'web', revision, `${FREEZE}=black friday, ask #sre`));
      const says = [/black friday, ask #sre/, /by dev/, new RegExp(`web\\.v${revision}`)];
      isDenied(await unchanged(() => run('ci', 'upgrade', 'web', SHOP)), 'BelayFrozen', ...says);
      isDenied(await unchanged(() => run('ci', 'rollback', 'web', '1')), 'BelayFrozen', ...says);
      isDenied(await unchanged(() => kubectl('dev', 'delete', 'service', 'web')), 'BelayFrozen', ...says);
      isDenied(
        await unchanged(() => kubectl('dev', 'delete', 'secret', `sh.helm.release.v1.web.v${revision}`)),
        'BelayFrozen',
      );
      succeeds(await run('ci', 'upgrade', 'api', SHOP));
      succeeds(await annotate('sre', 'web', revision, `${FREEZE}-`));
      assert.deepEqual(await locks('web'), [{}, {}]);
    }
  });

  test('that was lifted by the command of the message lets the release change again', async () => {
    succeeds(await annotateAll('dev', 'web', `${FREEZE}=audit`, `belay.dev/freeze-until=${inSeconds(600)}`));
    const said = isDenied(await unchanged(() => run('ci', 'upgrade', 'web', SHOP)), 'BelayFrozen', /until 20/);
    const command = /kubectl (annotate .*)$/m.exec(said)?.[1]?.trim().split(/\s+/) ?? [];
    succeeds(await plane.kubectl(command, { as: users.sre }));
    assert.deepEqual(await locks('web'), [{}, {}]);
  });

  test('on the Namespace holds for all its releases, for install as well', async () => {
    succeeds(await annotateNamespace('dev', `${FREEZE}=moving house`));
    assert.deepEqual(await namespaceLocks(namespace), { [FREEZE]: 'moving house', 'belay.dev/freeze-by': 'dev' });
    const says = [/moving house/, /by dev/, /kubectl annotate namespace freeze belay\.dev\/freeze-/];
    isDenied(await unchanged(() => run('ci', 'upgrade', 'web', SHOP)), 'BelayFrozen', ...says);
    isDenied(await unchanged(() => run('ci', 'rollback', 'api', '1')), 'BelayFrozen', ...says);
    isDenied(await unchanged(() => run('ci', 'install', 'fresh', SHOP)), 'BelayFrozen', ...says);
    isDenied(
      await unchanged(() => kubectl('ci', 'set', 'image', 'deployment/api', 'web=evil')),
      'BelayFrozen',
      ...says,
    );
    isDenied(await annotateNamespace('dev', `${FREEZE}-`), 'BelayLockForbidden', /dev may not unlock/);
    isDenied(await annotateNamespace('owner', `${FREEZE}-`), 'BelayLockForbidden', /owner may not unlock/);
    assert.equal((await namespaceLocks(namespace))[FREEZE], 'moving house');
    succeeds(await annotateNamespace('sre', `${FREEZE}-`));
    assert.deepEqual(await namespaceLocks(namespace), {});
    succeeds(await run('ci', 'upgrade', 'web', SHOP, '--history-max', '2'));
  });

  test('says who froze, and that cannot be forged', async () => {
    const by = async () => (await locks('web')).map((annotations) => annotations['belay.dev/freeze-by']);
    const newest = (await revisionsOf(plane, namespace, 'web')).at(-1)?.name ?? '';
    const patch = (metadata: object) =>
      kubectl('dev', 'patch', 'secret', newest, '--type=merge', `--patch=${JSON.stringify({ metadata })}`);
    await annotateAll('dev', 'web', `${FREEZE}=mine`, 'belay.dev/freeze-by=ceo');
    assert.deepEqual(await by(), ['dev', 'dev']);
    await annotateAll('dev', 'web', 'belay.dev/freeze-by=ceo');
    assert.deepEqual(await by(), ['dev', 'dev']);
    await annotateAll('dev', 'web', 'belay.dev/freeze-by-');
    assert.deepEqual(await by(), ['dev', 'dev']);
    // As Helm writes: with the label that it moves at every write.
    await patch({ labels: { modifiedAt: '1' }, annotations: { 'belay.dev/freeze-by': 'ceo' } });
    assert.deepEqual(await by(), ['dev', 'dev']);
    succeeds(await annotateAll('sre', 'web', `${FREEZE}-`));
    await patch({ labels: { modifiedAt: '2' }, annotations: { [FREEZE]: 'x', 'belay.dev/freeze-by': 'ceo' } });
    assert.deepEqual(await by(), [undefined, 'dev']);
    succeeds(await annotateAll('sre', 'web', `${FREEZE}-`));
    await annotateNamespace('dev', `${FREEZE}=mine`, 'belay.dev/freeze-by=ceo');
    assert.equal((await namespaceLocks(namespace))['belay.dev/freeze-by'], 'dev');
    await annotateNamespace('dev', 'belay.dev/freeze-by=ceo');
    assert.equal((await namespaceLocks(namespace))['belay.dev/freeze-by'], 'dev');
    succeeds(await annotateNamespace('sre', `${FREEZE}-`));
  });

  test('is written by edit, and lifted by admin or by a user with the right to this release', async () => {
    for (const release of ['web', 'api'])
      succeeds(await annotateAll('dev', release, `${FREEZE}=audit`, `belay.dev/freeze-until=${inSeconds(3600)}`));
    const forbidden = async (who: User, release: string, ...annotations: readonly string[]) =>
      isDenied(
        await unchanged(() => annotateAll(who, release, ...annotations)),
        'BelayLockForbidden',
        new RegExp(`${who} may not unlock release ${release}`),
        /needed: verb unlock on releases\.belay\.dev/,
      );
    await forbidden('dev', 'web', `${FREEZE}-`);
    await forbidden('dev', 'web', `${FREEZE}-`, 'belay.dev/freeze-until-');
    await forbidden('ci', 'web', `belay.dev/freeze-until=${inSeconds(600)}`);
    await forbidden('owner', 'api', `${FREEZE}-`);
    const newest = (await revisionsOf(plane, namespace, 'web')).at(-1)?.name ?? '';
    const { metadata, ...record } = await readRecord(plane, namespace, newest);
    const { annotations: _annotations, ...stripped } = metadata ?? {};
    const input = JSON.stringify({ ...record, metadata: stripped });
    isDenied(
      await unchanged(() => plane.kubectl(['replace', '-f', '-', '-n', namespace], { as: users.dev, input })),
      'BelayLockForbidden',
    );
    // Longer is stronger, and so is another reason over the old one.
    succeeds(await annotateAll('dev', 'web', `belay.dev/freeze-until=${inSeconds(7200)}`));
    succeeds(await annotateAll('owner', 'web', `${FREEZE}-`, 'belay.dev/freeze-until-'));
    assert.deepEqual(await locks('web'), [{}, {}]);
    await annotateAll('sre', 'api', `${FREEZE}-`, 'belay.dev/freeze-until-');
    succeeds(await run('ci', 'upgrade', 'api', SHOP));
    const outsider = await plane.user('outsider');
    assert.notEqual(
      (await plane.kubectl(['annotate', 'secret', newest, '-n', namespace, `${FREEZE}=x`], { as: outsider })).code,
      0,
    );
  });
});

describe('a namespace with something frozen in it', () => {
  const remove = (namespace: string) => plane.kubectl(['delete', 'namespace', namespace, '--timeout=60s']);

  test('is not deleted while a release is frozen by its record', async () => {
    const { create, run, annotateAll, unchanged } = place('held-by-record');
    await create();
    succeeds(await run('ci', 'install', 'web', SHOP));
    succeeds(await annotateAll('dev', 'web', `${FREEZE}=keep it`));
    isDenied(
      await unchanged(() => remove('held-by-record')),
      'BelayFrozen',
      /deletion of namespace held-by-record/,
      /keep it/,
    );
    isDenied(
      await unchanged(() => plane.kubectl(['delete', '--raw', '/api/v1/namespaces/held-by-record'])),
      'BelayFrozen',
    );
    succeeds(await annotateAll('sre', 'web', `${FREEZE}-`));
    succeeds(await remove('held-by-record'));
  });

  test('is not deleted while it is frozen itself', async () => {
    const { create, run, annotateNamespace, unchanged } = place('held');
    await create();
    succeeds(await annotateNamespace('sre', `${FREEZE}=keep it`));
    succeeds(await annotateNamespace('sre', `${FREEZE}-`));
    succeeds(await run('ci', 'install', 'web', SHOP));
    succeeds(await annotateNamespace('sre', `${FREEZE}=keep it`));
    isDenied(await unchanged(() => remove('held')), 'BelayFrozen', /keep it/, /kubectl annotate namespace held/);
    succeeds(await annotateNamespace('sre', `${FREEZE}-`));
    succeeds(await remove('held'));
  });
});

describe('a maintenance window', () => {
  const namespace = 'window';
  const { create, run, annotateAll, unchanged, kubectl } = place(namespace);
  const image = (name: string) => kubectl('dev', 'set', 'image', 'deployment/web', `web=${name}`);
  before(async () => {
    await create();
    succeeds(await run('ci', 'install', 'web', SHOP));
  });

  test('is opened by who may, lets changes by hand pass, and not while the release is frozen', async () => {
    const open = () => ['belay.dev/open=migration', `belay.dev/open-until=${inSeconds(3600)}`];
    isDenied(await unchanged(() => annotateAll('dev', 'web', ...open())), 'BelayLockForbidden', /dev may not open/);
    isDenied(await unchanged(() => image('nginx:1.28')), 'BelayDrift', /belay\.dev\/open-until=/);
    succeeds(await annotateAll('sre', 'web', ...open()));
    succeeds(await image('nginx:1.28'));
    succeeds(await kubectl('dev', 'scale', 'deployment/web', '--replicas=3'));
    succeeds(await annotateAll('dev', 'web', `${FREEZE}=stop`));
    isDenied(await unchanged(() => image('nginx:1.29')), 'BelayFrozen');
    succeeds(await annotateAll('sre', 'web', `${FREEZE}-`));
    succeeds(await image('nginx:1.29'));
    // To close it is to lock: edit may.
    succeeds(await annotateAll('dev', 'web', 'belay.dev/open-', 'belay.dev/open-until-'));
    isDenied(await unchanged(() => image('nginx:1.30')), 'BelayDrift');
  });
});

describe('records in ConfigMaps', () => {
  const { create, run, annotateAll, annotate, unchanged, locks, kubectl } = place('maps', 'helm3', 'configmap');
  before(create);

  test('are frozen, unfrozen and carried over as Secrets are', async () => {
    succeeds(await run('ci', 'install', 'web', SHOP));
    succeeds(await annotateAll('dev', 'web', `${FREEZE}=maps too`));
    const says = [/maps too/, /kubectl annotate configmap -n maps/];
    isDenied(await unchanged(() => run('ci', 'upgrade', 'web', SHOP)), 'BelayFrozen', ...says);
    isDenied(await unchanged(() => kubectl('dev', 'delete', 'configmap', 'web')), 'BelayFrozen', ...says);
    assert.notEqual((await unchanged(() => run('ci', 'uninstall', 'web'))).code, 0);
    isDenied(await unchanged(() => annotateAll('dev', 'web', `${FREEZE}-`)), 'BelayLockForbidden');
    isDenied(await unchanged(() => annotate('dev', 'web', 1, 'belay.dev/freze=x')), 'BelayBadLock');
    succeeds(await annotateAll('sre', 'web', `${FREEZE}-`));
    succeeds(await annotateAll('sre', 'web', 'belay.dev/open=x', `belay.dev/open-until=${inSeconds(3600)}`));
    succeeds(await run('ci', 'upgrade', 'web', SHOP));
    assert.deepEqual(
      (await locks('web')).map((annotations) => annotations['belay.dev/open']),
      [undefined, 'x'],
    );
  });
});
