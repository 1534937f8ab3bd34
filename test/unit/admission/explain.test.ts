/** Cases that `message.test.ts` does not have: other attempts, the other driver, unknown values and hostile text. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { describeDenial } from '../../../src/admission/explain/message.ts';
import type { Freeze } from '../../../src/policy/lock.ts';
import type { Denial, DenialCode, InFlight } from '../../../src/rules/verdict.ts';

const nowMs = Date.parse('2026-01-31T12:00:00Z');

const release = { namespace: 'shop', name: 'web' };
const deployment = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const configMap = { kind: 'ConfigMap', namespace: 'shop', name: 'sh.helm.release.v1.web.v3' } as const;

const inFlight: InFlight = {
  operation: 'install',
  revision: 1,
  holder: 'system:serviceaccount:ci:deployer',
  sinceMs: nowMs - 42_000,
  staleAtMs: nowMs + 558_000,
  record: configMap,
};

const frozen = (freezes: readonly Freeze[]): Denial => ({ code: 'BelayFrozen', release, attempt: 'rollback', freezes });

const drift = (more: Partial<Extract<Denial, { code: 'BelayDrift' }>>): Denial => ({
  code: 'BelayDrift',
  release,
  attempt: 'change',
  object: deployment,
  governing: { revision: 3, chart: 'shop-1.2.0' },
  recordKind: 'Secret',
  changes: [],
  ...more,
});

const WAYS_ON = `
    helm upgrade web <chart> -n shop ...
  or, if you may, open the release to changes by hand for an hour:
    kubectl annotate secret -n shop -l owner=helm,name=web --overwrite belay.dev/open="why" belay.dev/open-until=2026-01-31T13:00:00Z`;

const messages: Record<string, { denial: Denial; message: string }> = {
  'a scale': {
    denial: drift({
      attempt: 'scale',
      changes: [{ path: 'spec.replicas', pointer: '/spec/replicas', before: 2, after: 5, secret: false }],
    }),
    message: `scaling of Deployment web in namespace shop refused: Helm release web in namespace shop manages it [BelayDrift]
  governed by: revision 3, chart shop-1.2.0
  changed:
    spec.replicas: 2 -> 5
  change the number of replicas in the chart or its values:${WAYS_ON}`,
  },
  'a creation of a cluster-scoped object whose name is still to be generated': {
    denial: drift({ attempt: 'create', object: { group: 'g', kind: 'ClusterThing', namespace: '', name: '' } }),
    message: `creation of ClusterThing (no name) refused: Helm release web in namespace shop manages it [BelayDrift]
  governed by: revision 3, chart shop-1.2.0
  bring it back with the chart:${WAYS_ON.replace(
    '\n  or, if',
    '\n  or exactly as the chart has it:\n    belay drift web -n shop --repair\n  or, if',
  )}`,
  },
  'more fields than fit': {
    denial: drift({
      changes: Array.from({ length: 12 }, (_, i) => ({
        path: `data.k${i}`,
        pointer: `/data/k${i}`,
        before: i === 0 ? undefined : i,
        after: i === 1 ? undefined : `v${i}`,
        secret: false,
      })),
    }),
    message: `change of Deployment web in namespace shop refused: Helm release web in namespace shop manages it [BelayDrift]
  governed by: revision 3, chart shop-1.2.0
  changed:
    data.k0: (not set) -> "v0"
    data.k1: 1 -> (not set)
    data.k2: 2 -> "v2"
    data.k3: 3 -> "v3"
    data.k4: 4 -> "v4"
    data.k5: 5 -> "v5"
    data.k6: 6 -> "v6"
    data.k7: 7 -> "v7"
    data.k8: 8 -> "v8"
    data.k9: 9 -> "v9"
    and 2 more
  change it in the chart or its values:${WAYS_ON}`,
  },
  'a deleted record while its operation is in flight, in a ConfigMap': {
    denial: { code: 'BelayOperationInFlight', release, attempt: 'record delete', inFlight },
    message: `deletion of a record of release web in namespace shop refused: install to revision 1 by system:serviceaccount:ci:deployer is in flight [BelayOperationInFlight]
  since 2026-01-31T11:59:18Z (42s ago)
  stale from 2026-01-31T12:09:18Z (in 9m18s), if nothing more is heard of it until then
  wait until it is done:
    helm status web -n shop
  or, if it is dead, and it is yours or you may break it:
    kubectl annotate configmap -n shop sh.helm.release.v1.web.v3 belay.dev/break="why"`,
  },
  'a deleted Namespace while something is in flight in it': {
    denial: { code: 'BelayOperationInFlight', release, attempt: 'namespace delete', inFlight },
    message: `deletion of namespace shop refused: install to revision 1 by system:serviceaccount:ci:deployer is in flight on release web in namespace shop [BelayOperationInFlight]
  since 2026-01-31T11:59:18Z (42s ago)
  stale from 2026-01-31T12:09:18Z (in 9m18s), if nothing more is heard of it until then
  wait until it is done:
    helm status web -n shop
  or, if it is dead, and it is yours or you may break it:
    kubectl annotate configmap -n shop sh.helm.release.v1.web.v3 belay.dev/break="why"`,
  },
  'a freeze without a reason, in ConfigMaps': {
    denial: frozen([{ source: configMap, reason: '', by: undefined, untilMs: undefined }]),
    message: `rollback of release web in namespace shop refused: it is frozen: no reason given [BelayFrozen]
  frozen by unknown, until it is lifted, on ConfigMap sh.helm.release.v1.web.v3: no reason given
  to lift it, for someone who may unlock:
    kubectl annotate configmap -n shop -l owner=helm,name=web belay.dev/freeze-`,
  },
  'freezes by several people, each with a reason and an end of its own': {
    denial: frozen([
      {
        source: { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v1' },
        reason: 'audit',
        by: 'ann',
        untilMs: nowMs + 2 * 86_400_000 + 4 * 3_600_000,
      },
      {
        source: { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v2' },
        reason: 'incident 7',
        by: 'bob',
        untilMs: undefined,
      },
    ]),
    message: `rollback of release web in namespace shop refused: it is frozen: "audit" [BelayFrozen]
  frozen by ann, until 2026-02-02T16:00:00Z (in 2d4h), on Secret sh.helm.release.v1.web.v1: "audit"
  frozen by bob, until it is lifted, on Secret sh.helm.release.v1.web.v2: "incident 7"
  to lift it, for someone who may unlock:
    kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/freeze- belay.dev/freeze-until-`,
  },
  'a Namespace that is frozen itself': {
    denial: {
      code: 'BelayFrozen',
      release: { namespace: 'shop', name: '' },
      attempt: 'namespace delete',
      freezes: [
        { source: { kind: 'Namespace', namespace: '', name: 'shop' }, reason: 'x', by: 'ann', untilMs: undefined },
      ],
    },
    message: `deletion of namespace shop refused: what Helm released in it is frozen: "x" [BelayFrozen]
  frozen by ann, until it is lifted, on Namespace shop: "x"
  to lift it, for someone who may unlock:
    kubectl annotate namespace shop belay.dev/freeze-`,
  },
  'an edit of a frozen record': {
    denial: {
      code: 'BelayFrozen',
      release,
      attempt: 'record edit',
      freezes: [{ source: configMap, reason: 'x', by: 'ann', untilMs: undefined }],
    },
    message: `edit of a record of release web in namespace shop refused: it is frozen: "x" [BelayFrozen]
  frozen by ann, until it is lifted, on ConfigMap sh.helm.release.v1.web.v3: "x"
  to lift it, for someone who may unlock:
    kubectl annotate configmap -n shop -l owner=helm,name=web belay.dev/freeze-`,
  },
  'a write that was overtaken by nobody known': {
    denial: { code: 'BelayFenced', release, revision: 1, overtakenBy: 2, holder: undefined },
    message: `write of revision 1 of release web in namespace shop refused: revision 2 has overtaken it [BelayFenced]
  its operation was stale or broken, and another one took over: what it still writes counts no more
  stop the old helm process, and see where the release stands:
    helm history web -n shop`,
  },
  'a policy with several fields that cannot be read': {
    denial: {
      code: 'BelayBadPolicy',
      policy: 'weekend',
      problems: [
        { field: 'spec.versions.range', problem: '"soon" is not a SemVer range' },
        { field: 'spec.freeze.windows[0].schedule', problem: '"61 * * * *" never comes true' },
      ],
    },
    message: `ReleasePolicy weekend refused: 2 fields cannot be read [BelayBadPolicy]
  spec.versions.range: "soon" is not a SemVer range
  spec.freeze.windows[0].schedule: "61 * * * *" never comes true
  nothing has changed: what was in force stays in force`,
  },
  'a policy with more wrong than anybody reads': {
    denial: {
      code: 'BelayBadPolicy',
      policy: 'weekend',
      problems: Array.from({ length: 22 }, (_, index) => ({
        field: `spec.match.releases[${index}]`,
        problem: 'is empty',
      })),
    },
    message: `ReleasePolicy weekend refused: 22 fields cannot be read [BelayBadPolicy]
${Array.from({ length: 20 }, (_, index) => `  spec.match.releases[${index}]: is empty\n`).join('')}  and 2 more
  nothing has changed: what was in force stays in force`,
  },
  'a write of a claim on nothing': {
    denial: { code: 'BelayClaimGuarded', lease: 'belay.web', namespace: 'shop', inFlight: undefined },
    message: `write of Lease belay.web in namespace shop refused: only Belay writes the claim on a release [BelayClaimGuarded]
  leave it alone: Belay frees it when the operation ends`,
  },
  'a write of a claim whose record has not appeared': {
    denial: {
      code: 'BelayClaimGuarded',
      lease: 'belay.web',
      namespace: 'shop',
      inFlight: { ...inFlight, record: undefined },
    },
    message: `write of Lease belay.web in namespace shop refused: only Belay writes the claim on a release [BelayClaimGuarded]
  in flight: install to revision 1 by system:serviceaccount:ci:deployer
  since 2026-01-31T11:59:18Z (42s ago)
  stale from 2026-01-31T12:09:18Z (in 9m18s), if nothing more is heard of it until then
  leave it alone: Belay frees it when the operation ends`,
  },
};

describe('what kubectl and helm print, where something is unknown or out of the ordinary', () => {
  for (const [name, { denial, message }] of Object.entries(messages)) {
    test(name, () => assert.equal(describeDenial(denial, nowMs).message, message));
  }
});

/** Every denial there is, with `text` in each place where a caller's text may stand. */
const allWith = (text: string): Record<DenialCode, Denial> => {
  const name = { namespace: text, name: text };
  const record = { kind: 'Secret', ...name } as const;
  const object = { group: text, kind: text, ...name };
  const chart = { name: text, version: text };
  return {
    BelayOperationInFlight: {
      code: 'BelayOperationInFlight',
      release: name,
      attempt: 'change',
      object,
      inFlight: { ...inFlight, holder: text, record },
    },
    BelayFrozen: {
      code: 'BelayFrozen',
      release: name,
      attempt: 'delete',
      object,
      freezes: [
        { source: record, reason: text, by: text, untilMs: 1e300 },
        { source: { kind: 'Namespace', ...name }, reason: text, by: text, untilMs: Number.NaN },
      ],
    },
    BelayDrift: drift({
      release: name,
      object,
      governing: { revision: 1, chart: text },
      changes: Array.from({ length: 30 }, () => ({
        path: text,
        pointer: text,
        before: text,
        after: { [text]: [text] },
        secret: false,
      })),
    }),
    BelayPinned: {
      code: 'BelayPinned',
      release: name,
      attempt: 'upgrade',
      chart,
      deployed: chart,
      problem: 'version',
      pins: [{ source: record, range: text }],
    },
    BelayDowngrade: {
      code: 'BelayDowngrade',
      release: name,
      attempt: 'upgrade',
      chart,
      deployed: chart,
      sources: [record],
    },
    BelayFenced: { code: 'BelayFenced', release: name, revision: 1, overtakenBy: 2, holder: text },
    BelayRecordProtected: { code: 'BelayRecordProtected', release: name, record, problem: text, remedy: text },
    BelayBadLock: { code: 'BelayBadLock', source: record, annotation: text, problem: text, remedy: text },
    BelayBadPolicy: {
      code: 'BelayBadPolicy',
      policy: text,
      problems: Array.from({ length: 30 }, () => ({ field: text, problem: text })),
    },
    BelayLockForbidden: {
      code: 'BelayLockForbidden',
      release: name,
      source: record,
      user: text,
      verb: 'break',
      annotations: [text],
    },
    BelayClaimGuarded: { code: 'BelayClaimGuarded', lease: text, namespace: text, inFlight: { ...inFlight, record } },
    BelayUnavailable: { code: 'BelayUnavailable', problem: text },
  };
};

const commandsOf = (message: string): string[] =>
  message.split('\n').filter((line) => /^\s*(helm|kubectl) /.test(line));

/** The characters of a command without its placeholders and its `"why"`: letters, digits and the signs that the commands themselves need. */
const SAFE_COMMAND = /^ {4}[A-Za-z0-9 ._=,/:-]+$/;

const isSafe = (command: string): boolean =>
  SAFE_COMMAND.test(command.replace(/<(release|namespace|record|chart|policy)>/g, '').replace(/="why"/g, '='));

/** `text` with letters around it, because a terminal or a shell may find it anywhere. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .tuple(
      fc.string({ maxLength: 5 }),
      fc.constantFrom(
        '$(reboot)',
        '`id`',
        ';rm -rf ~',
        '|sh',
        '&',
        '>x',
        "'",
        '"',
        '\\',
        '\n    kubectl delete ns shop',
        '\r',
        '\u001b[2J',
        '\u009b2J',
        '\u202e',
        '\u2066',
        '\u200b',
        '\u2028',
        '\0',
        '--all',
        '-A',
        '../..',
        '*',
        '#',
        '!!',
        '~',
      ),
      fc.string({ maxLength: 5 }),
    )
    .map((parts) => parts.join('')),
);

describe('hostile text of a caller, in every denial', () => {
  test('does not move the cursor, reorder the text, or begin a line', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const [code, denial] of Object.entries(allWith(text))) {
          const { message, causes } = describeDenial(denial, nowMs);
          const plain = describeDenial(allWith('x')[denial.code], nowMs).message;
          assert.equal(message.split('\n').length, plain.split('\n').length, code);
          for (const shown of [
            ...message.split('\n'),
            ...causes.flatMap((cause) => [cause.field ?? '', cause.message]),
          ])
            assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u, code);
        }
      }),
    );
  });

  test('no command to paste holds anything that a shell or kubectl would obey', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const [code, denial] of Object.entries(allWith(text))) {
          for (const command of commandsOf(describeDenial(denial, nowMs).message)) {
            assert.ok(isSafe(command), `${code}: ${command}`);
            assert.doesNotMatch(command, / -(?!-overwrite |[nl] )/, code);
          }
        }
      }),
    );
  });

  test('a name that Kubernetes could not have accepted is a placeholder in the command', () => {
    for (const text of ['', '-n', '--all', 'a b', 'a;b', '$(id)', 'a/b', 'x'.repeat(10_000)]) {
      const { message } = describeDenial({ ...allWith(text).BelayFenced } as Denial, nowMs);
      assert.deepEqual(commandsOf(message), ['    helm history <release> -n <namespace>'], JSON.stringify(text));
    }
  });

  for (const [what, character] of [
    ['letters', 'x'],
    ['escapes', '\u001b'],
    ['emoji', '😀'],
    ['quotes', '"'],
  ] as const) {
    test(`of ten thousand ${what} only the beginning is shown`, () => {
      const short = allWith('x');
      for (const [code, denial] of Object.entries(allWith(character.repeat(10_000)))) {
        const { message, causes } = describeDenial(denial, nowMs);
        // A line holds up to six texts, of 500 characters at most, each of them six when it is escaped.
        for (const line of message.split('\n')) assert.ok(line.length < 6 * 500 * 6, `${code}: ${line.length}`);
        assert.equal(message.split('\n').length, describeDenial(short[denial.code], nowMs).message.split('\n').length);
        assert.ok(causes.length <= 21);
        assert.ok(message.isWellFormed(), code);
      }
    });
  }
});
