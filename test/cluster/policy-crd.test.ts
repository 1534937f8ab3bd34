import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import { type CommandResult, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { chooseKubernetes } from './harness/kubernetes-versions.ts';
import { fails, succeeds } from './support/asking.ts';

/** The CustomResourceDefinition on a real API server, without Belay: what it takes, and how it refuses the rest. */

const CRD = join(import.meta.dirname, '../../manifests/base/release-policy-crd.yaml');

let plane: ControlPlane;
let platform: string;

const apply = (spec: string, name = 'tried'): Promise<CommandResult> =>
  plane.kubectl(['apply', '-f', '-'], {
    as: platform,
    input: `apiVersion: belay.dev/v1alpha1\nkind: ReleasePolicy\nmetadata: {name: ${name}}\n${spec}\n`,
  });

before(async () => {
  plane = await startControlPlane({ controllers: false, helm: [], quiet: true });
  platform = await plane.user('platform');
  succeeds(await plane.kubectl(['apply', '-f', CRD]));
  succeeds(await plane.kubectl(['wait', '--for=condition=Established', '-f', CRD]));
  const rule = ['--verb=*', '--resource=releasepolicies.belay.dev'];
  succeeds(await plane.kubectl(['create', 'clusterrole', 'policies', ...rule]));
  succeeds(
    await plane.kubectl(['create', 'clusterrolebinding', 'policies', '--clusterrole=policies', '--user=platform']),
  );
});
after(() => plane?.stop());

/** A policy with every field, and with a bare Off. */
const EXAMPLE = `spec:
  priority: 0
  match:
    namespaceSelector: {}
    releases: ["*"]
  operations: {action: Deny, staleAfter: 10m}
  versions:   {action: Deny, downgrade: Allow, range: ""}
  drift:
    action: Deny
    users: AllFields
    serviceAccounts: ChartFields
    ignore: [{group: apps, kind: Deployment, name: "*", paths: ["/spec/replicas"]}]
    allow: [{subjects: [{kind: ServiceAccount, namespace: keda, name: keda-operator}], kind: "*", paths: ["/spec/replicas"], whileFrozen: true}]
    presets: [auto, keda]
    trusted: [{kind: ServiceAccount, namespace: velero, name: velero}]
    dryRun: Deny
    repair: {action: Off, interval: 10m}
  freeze:
    reason: ""
    windows: [{schedule: "0 16 * * FRI", duration: 64h, timeZone: Europe/Berlin, reason: "weekend"}]`;

const good: Record<string, string> = {
  'the example of the documentation': EXAMPLE,
  'nothing at all': '',
  'an empty spec': 'spec: {}',
  'every action, bare or in quotes':
    'spec: {operations: {action: Off}, versions: {action: "Off"}, drift: {action: Warn}, freeze: {action: Audit}}',
  'a selector':
    'spec: {match: {namespaceSelector: {matchLabels: {example.com/team: shop}, matchExpressions: [{key: env, operator: NotIn, values: [dev]}, {key: x, operator: Exists}]}}}',
  'the bounds of durations':
    'spec: {operations: {staleAfter: 5s}, drift: {repair: {interval: 7d}}, freeze: {windows: [{schedule: "0 0 1 * *", duration: 31d, reason: a}, {schedule: "0 0 1 * *", duration: 744h, reason: a}]}}',
  'subjects of each kind, as RoleBindings write them':
    'spec: {drift: {trusted: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: ci}, {kind: Group, name: "system:masters"}]}}',
};

/** A newer API server shows the value that a rule refuses; 1.30 its type, whatever it is. */
const refusedText = (value: string): string => (chooseKubernetes().minor > 30 ? JSON.stringify(value) : '"string"');

/** What the API server itself refuses, and the field that it names. */
const bad: Record<string, readonly [spec: string, says: RegExp]> = {
  'fields that are left to a service account of no namespace': [
    'spec: {drift: {allow: [{subjects: [{kind: ServiceAccount, name: keda}], kind: Deployment, paths: [/spec/replicas]}]}}',
    /spec\.drift\.allow\[0\]\.subjects\[0\]\.namespace: Required value: a ServiceAccount needs a namespace/,
  ],
  'a preset that nobody knows': ['spec: {drift: {presets: [kedaa]}}', /spec\.drift\.presets\[0\]: Unsupported value/],
  'an unknown field': ['spec: {drfit: {action: Off}}', /unknown field "spec\.drfit"/],
  'an unknown action': [
    'spec: {drift: {action: deny}}',
    /spec\.drift\.action: Unsupported value: "deny": supported values: "Deny", "Warn"/,
  ],
  'true for an action': ['spec: {drift: {action: yes}}', /spec\.drift\.action: Unsupported value: true/],
  'half a priority': ['spec: {priority: 0.5}', /spec\.priority: Invalid value/],
  'a duration that is none': [
    'spec: {operations: {staleAfter: soon}}',
    /spec\.operations\.staleAfter: Invalid value: "soon"/,
  ],
  'staleAfter too short': [
    'spec: {operations: {staleAfter: 4999ms}}',
    new RegExp(`spec\\.operations\\.staleAfter: Invalid value: ${refusedText('4999ms')}: is shorter than 5s`),
  ],
  'repair too often': [
    'spec: {drift: {repair: {interval: 30s}}}',
    /spec\.drift\.repair\.interval: Invalid value.*is shorter than 1m/,
  ],
  'a window too long, in hours': [
    'spec: {freeze: {windows: [{schedule: "0 0 * * *", duration: 745h, reason: a}]}}',
    /spec\.freeze\.windows\[0\]\.duration: Invalid value.*is longer than 31 days/,
  ],
  'a window too long, in days': [
    'spec: {freeze: {windows: [{schedule: "0 0 * * *", duration: 32d, reason: a}]}}',
    /spec\.freeze\.windows\[0\]\.duration: Invalid value.*is longer than 31 days/,
  ],
  'a window without a reason': [
    'spec: {freeze: {windows: [{schedule: "0 0 * * *", duration: 1h}]}}',
    /spec\.freeze\.windows\[0\]\.reason: Required value/,
  ],
  'a window with a blank reason': [
    'spec: {freeze: {windows: [{schedule: "0 0 * * *", duration: 1h, reason: " "}]}}',
    /spec\.freeze\.windows\[0\]\.reason: Invalid value/,
  ],
  'a schedule with seconds': [
    'spec: {freeze: {windows: [{schedule: "0 0 0 * * *", duration: 1h, reason: a}]}}',
    /spec\.freeze\.windows\[0\]\.schedule: Invalid value/,
  ],
  'a schedule by nickname': [
    'spec: {freeze: {windows: [{schedule: "@daily", duration: 1h, reason: a}]}}',
    /spec\.freeze\.windows\[0\]\.schedule: Invalid value/,
  ],
  'a service account of no namespace': [
    'spec: {drift: {trusted: [{kind: ServiceAccount, name: velero}]}}',
    /spec\.drift\.trusted\[0\]\.namespace: Required value: a ServiceAccount needs a namespace/,
  ],
  'a user of a namespace': [
    'spec: {drift: {trusted: [{kind: User, namespace: shop, name: ci}]}}',
    /spec\.drift\.trusted\[0\]\.namespace: Forbidden: a User or a Group has no namespace/,
  ],
  'a path by dots': [
    'spec: {drift: {ignore: [{kind: Deployment, paths: [spec.replicas]}]}}',
    /spec\.drift\.ignore\[0\]\.paths\[0\]: Invalid value/,
  ],
  'no paths': ['spec: {drift: {ignore: [{kind: Deployment}]}}', /spec\.drift\.ignore\[0\]\.paths: Required value/],
  'a glob of three stars': ['spec: {match: {releases: ["a*b*c*d"]}}', /spec\.match\.releases\[0\]: Invalid value/],
  'In without values': [
    'spec: {match: {namespaceSelector: {matchExpressions: [{key: env, operator: In}]}}}',
    /spec\.match\.namespaceSelector\.matchExpressions\[0\]\.values: Required value: In and NotIn need values/,
  ],
  'Exists with values': [
    'spec: {match: {namespaceSelector: {matchExpressions: [{key: env, operator: Exists, values: [a]}]}}}',
    /matchExpressions\[0\]\.values: Forbidden: Exists and DoesNotExist take no values/,
  ],
  'a label key that is none': [
    'spec: {match: {namespaceSelector: {matchLabels: {"a b": c}}}}',
    /spec\.match\.namespaceSelector\.matchLabels: Invalid value.*a key is not the key of a label/,
  ],
  'more windows than anybody needs': [
    `spec: {freeze: {windows: [${'{schedule: "0 0 * * *", duration: 1h, reason: a},'.repeat(21)}]}}`,
    /spec\.freeze\.windows: Too many: 21: must have at most 20 items/,
  ],
};

describe('a ReleasePolicy, applied with kubectl', () => {
  for (const [name, spec] of Object.entries(good)) {
    test(`is taken: ${name}`, async () => {
      succeeds(await apply(spec));
      const stored = await plane.api.read<{ readonly metadata: { name: string }; readonly spec?: unknown }>(
        'releasepolicy/tried',
      );
      const parsed = parsePolicy(stored, { staleAfterMs: 600_000 });
      assert.ok(parsed.ok, JSON.stringify(parsed));
    });
  }

  for (const [name, [spec, says]] of Object.entries(bad)) {
    test(`is refused: ${name}`, async () => void fails(await apply(spec, 'refused'), says));
  }

  test('is shown in one line', async () => {
    succeeds(await apply('spec: {priority: 7, drift: {action: Warn}, freeze: {reason: black friday}}', 'shown'));
    const status = {
      observedGeneration: 1,
      matchedReleases: 12,
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Read', message: '', lastTransitionTime: '2026-11-21T12:00:00Z' },
      ],
      accepted: { generation: 1, spec: { priority: 7, anything: { may: ['stand', 1] } } },
    };
    const patch = ['patch', 'rpol', 'shown', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
    succeeds(await plane.kubectl(patch));
    const table = succeeds(await plane.kubectl(['get', 'releasepolicies', 'shown']));
    assert.match(table, /^NAME +PRIORITY +READY +RELEASES +OPERATIONS +VERSIONS +DRIFT +FROZEN +AGE\n/);
    assert.match(table, /\nshown +7 +True +12 +Warn +black friday +\d+s\n/);
    const stored = await plane.api.field('releasepolicy/shown', '.status.accepted.spec');
    assert.deepEqual(JSON.parse(stored), status.accepted.spec);
  });

  test('is explained', async () => {
    const text = succeeds(await plane.kubectl(['explain', 'rpol.spec.freeze.windows.duration']));
    assert.match(text, /From 1s to 31d/);
  });
});
