import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeDenial } from '../../../../src/admission/explain/message.ts';
import type { Freeze } from '../../../../src/policy/lock.ts';
import type { Denial, FieldChange } from '../../../../src/rules/verdict.ts';

const nowMs = Date.parse('2026-01-31T12:00:00Z');
const minutes = (count: number): number => count * 60_000;

const release = { namespace: 'shop', name: 'web' };
const deployment = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const record = { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v3' } as const;
const governing = { revision: 3, chart: 'shop-1.2.0' };

const inFlight = {
  operation: 'upgrade',
  revision: 3,
  holder: 'alice',
  sinceMs: nowMs - minutes(3),
  staleAtMs: nowMs + minutes(7),
  record,
} as const;

const change = (path: string, before: unknown, after: unknown, secret = false): FieldChange => ({
  path,
  pointer: `/${path.replaceAll('.', '/')}`,
  before,
  after,
  secret,
});

const freezeOn = (revision: number, untilMs?: number): Freeze => ({
  source: { kind: 'Secret', namespace: 'shop', name: `sh.helm.release.v1.web.v${revision}` },
  reason: 'black friday, ask #sre',
  by: 'alice',
  untilMs,
});

const namespaceFreeze: Freeze = {
  source: { kind: 'Namespace', namespace: '', name: 'shop' },
  reason: 'weekend',
  by: undefined,
  untilMs: nowMs + minutes(720),
};

const drift = (
  changes: readonly FieldChange[],
  more: Partial<Extract<Denial, { code: 'BelayDrift' }>> = {},
): Denial => ({
  code: 'BelayDrift',
  release,
  attempt: 'change',
  object: deployment,
  governing,
  recordKind: 'Secret',
  changes,
  ...more,
});

const messages: Record<string, { denial: Denial; message: string }> = {
  'an upgrade out of a pin names the chart, what is deployed, the pin and how to lift it': {
    denial: {
      code: 'BelayPinned',
      release,
      attempt: 'upgrade',
      chart: { name: 'shop', version: '1.5.0' },
      deployed: { name: 'shop', version: '1.4.2' },
      problem: 'version',
      pins: [{ source: record, range: '1.4.x' }],
    },
    message: [
      'upgrade of release web in namespace shop to chart shop-1.5.0 refused: the release is pinned, and this version is outside [BelayPinned]',
      '  deployed: shop-1.4.2',
      '  pinned to "1.4.x" on Secret sh.helm.release.v1.web.v3',
      '  to lift it, for someone who may unlock:',
      '    kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/pin-',
    ].join('\n'),
  },
  'another chart under a pinned release': {
    denial: {
      code: 'BelayPinned',
      release,
      attempt: 'install',
      chart: { name: 'other', version: 'x\u001b[31m' },
      deployed: undefined,
      problem: 'chart',
      pins: [{ source: { kind: 'Namespace', namespace: '', name: 'shop' }, range: '*' }],
    },
    message: [
      'install of release web in namespace shop to chart "other-x\\u001b[31m" refused: the release is pinned to its chart, and this is another one [BelayPinned]',
      '  pinned to "*" on Namespace shop',
      '  to lift it, for someone who may unlock:',
      '    kubectl annotate namespace shop belay.dev/pin-',
    ].join('\n'),
  },
  'a range that a policy states': {
    denial: {
      code: 'BelayPinned',
      release,
      attempt: 'upgrade',
      chart: { name: 'shop', version: '2.0.0' },
      deployed: { name: 'shop', version: '1.4.2' },
      problem: 'version',
      pins: [{ source: { kind: 'ReleasePolicy', namespace: '', name: 'stable' }, range: '<2' }],
    },
    message: [
      'upgrade of release web in namespace shop to chart shop-2.0.0 refused: the release is pinned, and this version is outside [BelayPinned]',
      '  deployed: shop-1.4.2',
      '  pinned to "<2" on ReleasePolicy stable',
      '  to lift it, for someone who may change the policy:',
      '    kubectl edit releasepolicy stable',
    ].join('\n'),
  },
  'a downgrade names both versions': {
    denial: {
      code: 'BelayDowngrade',
      release,
      attempt: 'rollback',
      chart: { name: 'shop', version: '1.3.0' },
      deployed: { name: 'shop', version: '1.4.2' },
      sources: [record],
    },
    message: [
      'rollback of release web in namespace shop to chart shop-1.3.0 refused: below shop-1.4.2, which was deployed last [BelayDowngrade]',
      '  no downgrades, says Secret sh.helm.release.v1.web.v3',
      '  to lift it, for someone who may unlock:',
      '    kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/no-downgrade-',
    ].join('\n'),
  },
  'a changed image names the object, release, revision, chart and field, and both ways on': {
    denial: drift([
      change('spec.template.spec.containers[web].image', 'nginx:1.27', 'nginx:latest'),
      change('spec.replicas', 2, undefined),
    ]),
    message: `change of Deployment web in namespace shop refused: Helm release web in namespace shop manages it [BelayDrift]
  governed by: revision 3, chart shop-1.2.0
  changed:
    spec.template.spec.containers[web].image: "nginx:1.27" -> "nginx:latest"
    spec.replicas: 2 -> (not set)
  change it in the chart or its values:
    helm upgrade web <chart> -n shop ...
  or, if you may, open the release to changes by hand for an hour:
    kubectl annotate secret -n shop -l owner=helm,name=web --overwrite belay.dev/open="why" belay.dev/open-until=2026-01-31T13:00:00Z`,
  },
  'a deleted object of a release that is kept in ConfigMaps': {
    denial: drift([], {
      attempt: 'delete',
      recordKind: 'ConfigMap',
      object: { group: '', kind: 'Service', namespace: 'shop', name: 'web' },
    }),
    message: `deletion of Service web in namespace shop refused: Helm release web in namespace shop manages it [BelayDrift]
  governed by: revision 3, chart shop-1.2.0
  take it out of the chart or switch it off in its values:
    helm upgrade web <chart> -n shop ...
  or, if you may, open the release to changes by hand for an hour:
    kubectl annotate configmap -n shop -l owner=helm,name=web --overwrite belay.dev/open="why" belay.dev/open-until=2026-01-31T13:00:00Z`,
  },
  'a Secret: which keys changed, and none of their values, not even in the copy that kubectl keeps': {
    denial: drift(
      [
        change('data.password', 'aHVudGVyMg==', 'aHVudGVyMw==', true),
        change('data.token', undefined, 'czNjcjN0', false),
        change('metadata.annotations', { 'kubectl.kubernetes.io/last-applied-configuration': 'czNjcjN0' }, undefined),
        change('type', 'Opaque', 'kubernetes.io/tls'),
      ],
      { object: { group: '', kind: 'Secret', namespace: 'shop', name: 'web' } },
    ),
    message: `change of Secret web in namespace shop refused: Helm release web in namespace shop manages it [BelayDrift]
  governed by: revision 3, chart shop-1.2.0
  changed:
    data.password: (hidden) -> (hidden)
    data.token: (not set) -> (hidden)
    metadata.annotations: (hidden) -> (not set)
    type: "Opaque" -> "kubernetes.io/tls"
  change it in the chart or its values:
    helm upgrade web <chart> -n shop ...
  or, if you may, open the release to changes by hand for an hour:
    kubectl annotate secret -n shop -l owner=helm,name=web --overwrite belay.dev/open="why" belay.dev/open-until=2026-01-31T13:00:00Z`,
  },
  'an operation while another is in flight: who, which, since when, until when, and how to break it': {
    denial: { code: 'BelayOperationInFlight', release, attempt: 'rollback', inFlight },
    message: `rollback of release web in namespace shop refused: upgrade to revision 3 by alice is in flight [BelayOperationInFlight]
  since 2026-01-31T11:57:00Z (3m ago)
  stale from 2026-01-31T12:07:00Z (in 7m), if nothing more is heard of it until then
  wait until it is done:
    helm status web -n shop
  or, if it is dead, and it is yours or you may break it:
    kubectl annotate secret -n shop sh.helm.release.v1.web.v3 belay.dev/break="why"`,
  },
  'an operation that Belay did not see begin, and whose record has not appeared': {
    denial: {
      code: 'BelayOperationInFlight',
      release,
      attempt: 'delete',
      object: deployment,
      inFlight: { ...inFlight, operation: 'uninstall', holder: undefined, record: undefined, staleAtMs: nowMs - 1000 },
    },
    message: `deletion of Deployment web in namespace shop refused: uninstall of revision 3 by unknown (it began before Belay was there) is in flight on release web in namespace shop [BelayOperationInFlight]
  since 2026-01-31T11:57:00Z (3m ago)
  stale since 2026-01-31T11:59:59Z (1s ago): the next operation may take over
  wait until it is done:
    helm status web -n shop
  it has only just begun: if it is dead, nothing will be left of it in 10s`,
  },
  'a freeze names every source with its reason, by whom and until when, and one command for each kind': {
    denial: {
      code: 'BelayFrozen',
      release,
      attempt: 'upgrade',
      freezes: [freezeOn(1), freezeOn(2), namespaceFreeze],
    },
    message: `upgrade of release web in namespace shop refused: it is frozen: "black friday, ask #sre" [BelayFrozen]
  frozen by alice, until it is lifted, on Secret sh.helm.release.v1.web.v1, v2: "black friday, ask #sre"
  frozen by unknown, until 2026-02-01T00:00:00Z (in 12h), on Namespace shop: "weekend"
  to lift it, for someone who may unlock:
    kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/freeze-
    kubectl annotate namespace shop belay.dev/freeze- belay.dev/freeze-until-`,
  },
  'a freeze window of a policy: when it ends, and where it is kept': {
    denial: {
      code: 'BelayFrozen',
      release,
      attempt: 'upgrade',
      freezes: [
        {
          source: { kind: 'ReleasePolicy', namespace: '', name: 'weekends' },
          reason: 'weekend',
          by: undefined,
          untilMs: nowMs + minutes(90),
        },
      ],
    },
    message: `upgrade of release web in namespace shop refused: it is frozen: "weekend" [BelayFrozen]
  frozen by ReleasePolicy weekends, until 2026-01-31T13:30:00Z (in 1h30m): "weekend"
  to end that of the policy before, for someone who may change it:
    kubectl edit releasepolicy weekends`,
  },
  'a freeze by a person and by a policy': {
    denial: {
      code: 'BelayFrozen',
      release,
      attempt: 'upgrade',
      freezes: [
        freezeOn(1),
        {
          source: { kind: 'ReleasePolicy', namespace: '', name: 'peak' },
          reason: 'peak season',
          by: undefined,
          untilMs: undefined,
        },
      ],
    },
    message: `upgrade of release web in namespace shop refused: it is frozen: "black friday, ask #sre" [BelayFrozen]
  frozen by alice, until it is lifted, on Secret sh.helm.release.v1.web.v1: "black friday, ask #sre"
  frozen by ReleasePolicy peak, until it is lifted: "peak season"
  to lift it, for someone who may unlock:
    kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/freeze-
  to lift that of the policy, for someone who may change it:
    kubectl edit releasepolicy peak`,
  },
  'an object of a frozen release': {
    denial: {
      code: 'BelayFrozen',
      release,
      attempt: 'delete',
      object: deployment,
      freezes: [freezeOn(2, nowMs + minutes(5) + 20_000)],
    },
    message: `deletion of Deployment web in namespace shop refused: release web in namespace shop is frozen: "black friday, ask #sre" [BelayFrozen]
  frozen by alice, until 2026-01-31T12:05:20Z (in 5m20s), on Secret sh.helm.release.v1.web.v2: "black friday, ask #sre"
  to lift it, for someone who may unlock:
    kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/freeze- belay.dev/freeze-until-`,
  },
  'a Namespace with a frozen release: the command is that of the release that is frozen': {
    denial: {
      code: 'BelayFrozen',
      release: { namespace: 'shop', name: 'other' },
      attempt: 'namespace delete',
      object: { group: '', kind: 'Namespace', namespace: '', name: 'shop' },
      freezes: [freezeOn(2)],
    },
    message: `deletion of namespace shop refused: what Helm released in it is frozen: "black friday, ask #sre" [BelayFrozen]
  frozen by alice, until it is lifted, on Secret sh.helm.release.v1.web.v2: "black friday, ask #sre"
  to lift it, for someone who may unlock:
    kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/freeze-`,
  },
  'a write of an operation that was taken over': {
    denial: { code: 'BelayFenced', release, revision: 3, overtakenBy: 4, holder: 'bob' },
    message: `write of revision 3 of release web in namespace shop refused: revision 4 by bob has overtaken it [BelayFenced]
  its operation was stale or broken, and another one took over: what it still writes counts no more
  stop the old helm process, and see where the release stands:
    helm history web -n shop`,
  },
  'a record that was edited by hand': {
    denial: {
      code: 'BelayRecordProtected',
      release,
      record,
      problem: 'its status never goes from deployed to pending-upgrade',
      remedy: 'to lock the release: belay.dev/freeze',
    },
    message: `write of Secret sh.helm.release.v1.web.v3, a record of release web in namespace shop, refused: its status never goes from deployed to pending-upgrade [BelayRecordProtected]
  to lock the release: belay.dev/freeze`,
  },
  'a lock that cannot be read': {
    denial: {
      code: 'BelayBadLock',
      source: record,
      annotation: 'belay.dev/freeze-until',
      problem: 'lies in the past',
      remedy: 'write a time to come',
    },
    message: `annotation belay.dev/freeze-until on Secret sh.helm.release.v1.web.v3 in namespace shop refused: it lies in the past [BelayBadLock]
  write a time to come`,
  },
  'a lock by someone who may not: which verb is missing, and the rule that grants it': {
    denial: {
      code: 'BelayLockForbidden',
      release,
      source: record,
      user: 'bob',
      verb: 'unlock',
      annotations: ['belay.dev/freeze'],
    },
    message: `bob may not unlock release web in namespace shop: belay.dev/freeze on Secret sh.helm.release.v1.web.v3 in namespace shop refused [BelayLockForbidden]
  needed: verb unlock on releases.belay.dev named web, in namespace shop
  a rule that grants it, for the Role of someone who should have it:
    - {apiGroups: [belay.dev], resources: [releases], resourceNames: ["web"], verbs: [unlock]}`,
  },
  'a lock on a Namespace asks for the right to all its releases': {
    denial: {
      code: 'BelayLockForbidden',
      release: { namespace: 'shop', name: '' },
      source: { kind: 'Namespace', namespace: '', name: 'shop' },
      user: 'bob',
      verb: 'lock',
      annotations: ['belay.dev/freeze'],
    },
    message: `bob may not lock the releases in namespace shop: belay.dev/freeze on namespace shop refused [BelayLockForbidden]
  needed: verb lock on releases.belay.dev, in namespace shop
  a rule that grants it, for the Role of someone who should have it:
    - {apiGroups: [belay.dev], resources: [releases], verbs: [lock]}`,
  },
  'a write of a claim': {
    denial: { code: 'BelayClaimGuarded', lease: 'belay.web', namespace: 'shop', inFlight },
    message: `write of Lease belay.web in namespace shop refused: only Belay writes the claim on a release [BelayClaimGuarded]
  in flight: upgrade to revision 3 by alice
  since 2026-01-31T11:57:00Z (3m ago)
  stale from 2026-01-31T12:07:00Z (in 7m), if nothing more is heard of it until then
  leave it alone; if its operation is dead and you may break it:
    kubectl annotate secret -n shop sh.helm.release.v1.web.v3 belay.dev/break="why"`,
  },
  'Belay cannot read what it needs': {
    denial: { code: 'BelayUnavailable', problem: 'connect ECONNREFUSED 10.0.0.1:443' },
    message: `refused: Belay could not read what it needs to decide: connect ECONNREFUSED 10.0.0.1:443 [BelayUnavailable]
  nothing was changed by this request: try again
  if it goes on, see how Belay is doing:
    kubectl get pods -n belay-system`,
  },
};

describe('what kubectl and helm print after "denied the request: "', () => {
  for (const [name, { denial, message }] of Object.entries(messages)) {
    test(name, () => assert.equal(describeDenial(denial, nowMs).message, message));
  }

  test('every kind of denial is told apart by a stable code, in the first line and as the first cause', () => {
    for (const { denial } of Object.values(messages)) {
      const { message, causes } = describeDenial(denial, nowMs);
      assert.match(message.split('\n')[0] ?? '', new RegExp(`\\[${denial.code}\\]$`));
      assert.equal(causes[0]?.reason, denial.code);
      assert.doesNotMatch(causes[0]?.message ?? '', /\n/);
    }
  });

  test('of many changed fields a person sees ten and how many more there are, and a program twenty', () => {
    const many = Array.from({ length: 25 }, (_, i) => change(`data.key${i}`, `old${i}`, `new${i}`));
    const { message, causes } = describeDenial(drift(many), nowMs);
    assert.equal(message.match(/data\.key\d+:/g)?.length, 10);
    assert.match(message, /\n {4}and 15 more\n/);
    assert.equal(causes.length, 1 + 20);
    assert.deepEqual(causes[1], { reason: 'BelayDrift', field: 'data.key0', message: '"old0" -> "new0"' });
  });
});

describe('what a caller writes cannot deceive the reader of a denial', () => {
  const esc = '\u001b[2K\r';

  test('no text of a caller begins a line, moves the cursor or reorders what is shown', () => {
    const nasty = `x"${esc}\nError: all is well\u202e\u200b\u2028\u0085`;
    const frozen = { ...freezeOn(1), reason: nasty, by: nasty };
    const denials: Denial[] = [
      drift([change(nasty, nasty, { [nasty]: nasty })], { governing: { revision: 1, chart: nasty } }),
      drift([], { object: { ...deployment, name: nasty, kind: nasty }, release: { namespace: nasty, name: nasty } }),
      { code: 'BelayFrozen', release, attempt: 'upgrade', freezes: [frozen] },
      { code: 'BelayOperationInFlight', release, attempt: 'upgrade', inFlight: { ...inFlight, holder: nasty } },
      { code: 'BelayFenced', release, revision: 1, overtakenBy: 2, holder: nasty },
      { code: 'BelayRecordProtected', release, record: { ...record, name: nasty }, problem: nasty, remedy: nasty },
      { code: 'BelayBadLock', source: { ...record, name: nasty }, annotation: nasty, problem: nasty, remedy: nasty },
      { code: 'BelayLockForbidden', release, source: record, user: nasty, verb: 'lock', annotations: [nasty] },
      { code: 'BelayClaimGuarded', lease: nasty, namespace: nasty, inFlight: undefined },
      { code: 'BelayUnavailable', problem: nasty },
    ];
    for (const denial of denials) {
      const { message, causes } = describeDenial(denial, nowMs);
      for (const text of [message.replaceAll('\n', ''), ...causes.map((cause) => `${cause.field}${cause.message}`)]) {
        assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, denial.code);
      }
      assert.doesNotMatch(message, /^\s*Error: all is well/m, denial.code);
    }
  });

  test('a command to paste holds no name that a shell would obey', () => {
    const evil = { namespace: '$(reboot)', name: 'web; rm -rf ~' };
    const { message } = describeDenial(drift([], { release: evil }), nowMs);
    const commands = message.split('\n').filter((line) => /^ +(helm|kubectl) /.test(line));
    assert.equal(commands.length, 2);
    for (const command of commands) assert.doesNotMatch(command, /reboot|rm -rf/);
  });
});
