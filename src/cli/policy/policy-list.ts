import type { StoredPolicy } from '../../facts/stored-policy.ts';
import type { ReleaseName } from '../../helm/names.ts';
import type { Policy } from '../../policy/policy.ts';
import { builtInPolicy, DEFAULT_STALE_AFTER_MS, policyInForce } from '../../policy/policy-in-force.ts';
import { escapeText, showName, showPath } from '../../text/escape.ts';
import { showDuration } from '../../text/when.ts';
import type { Cell } from '../output/table.ts';
import { groupByRelease } from '../releases/release-view.ts';
import type { Snapshot } from '../releases/snapshot.ts';

/** A policy, and the releases for which it is in force. */
export interface PolicyView {
  /** Undefined: the built-in defaults, which hold for releases that no policy matches. */
  readonly stored: StoredPolicy | undefined;
  readonly policy: Policy | undefined;
  readonly releases: readonly ReleaseName[];
}

/** `unknown` counts the releases in namespaces whose labels may not be read. */
export const viewPolicies = (
  stored: readonly StoredPolicy[],
  { records, namespace }: Pick<Snapshot, 'records' | 'namespace'>,
): { readonly views: readonly PolicyView[]; readonly unknown: number } => {
  const builtIn = builtInPolicy(DEFAULT_STALE_AFTER_MS);
  const policies = stored.flatMap(({ accepted }) => accepted?.policy ?? []);
  const byPolicy = new Map<Policy, ReleaseName[]>();
  let unknown = 0;
  for (const [record] of groupByRelease(records)) {
    if (record === undefined) continue;
    const release = { namespace: record.namespace, name: record.release };
    const labels = namespace(record.namespace)?.labels;
    if (labels === undefined && policies.length > 0) {
      unknown += 1;
      continue;
    }
    const inForce = policyInForce(policies, release, labels ?? {}, builtIn);
    byPolicy.set(inForce, [...(byPolicy.get(inForce) ?? []), release]);
  }
  const views = [...stored]
    .sort(
      (a, b) => (b.accepted?.policy.priority ?? 0) - (a.accepted?.policy.priority ?? 0) || (a.name < b.name ? -1 : 1),
    )
    .map((one): PolicyView => {
      const policy = one.accepted?.policy;
      return { stored: one, policy, releases: (policy && byPolicy.get(policy)) ?? [] };
    });
  const left = byPolicy.get(builtIn) ?? [];
  return { views: [...views, { stored: undefined, policy: builtIn, releases: left }], unknown };
};

export const policyHeads = (wide: boolean): readonly Cell[] =>
  [
    'NAME',
    'PRIORITY',
    'READY',
    'RELEASES',
    'OPERATIONS',
    'VERSIONS',
    'DRIFT',
    'FREEZE',
    ...(wide ? ['IN FORCE ON'] : []),
    'AGE',
  ].map((text) => ({ text }));

export const showReleases = (releases: readonly ReleaseName[]): readonly string[] =>
  releases.map(({ namespace, name }) => `${showName(namespace)}/${showName(name)}`);

const ageOf = (stored: StoredPolicy | undefined, nowMs: number): string => {
  const createdMs = Date.parse(stored?.object.metadata?.creationTimestamp ?? '');
  return Number.isNaN(createdMs) ? '' : showDuration(Math.max(0, nowMs - createdMs));
};

const showFreeze = ({ freeze }: Policy): string => {
  const states = [
    ...(freeze.reason === undefined ? [] : ['frozen']),
    ...(freeze.windows.length === 0 ? [] : [`${freeze.windows.length} windows`]),
  ];
  return states.length === 0 ? '<none>' : `${freeze.action}: ${states.join(', ')}`;
};

export const policyRow = ({ stored, policy, releases }: PolicyView, wide: boolean, nowMs: number): readonly Cell[] => {
  const isReady = stored === undefined || stored.problems.length === 0;
  return [
    { text: stored === undefined ? '<built-in>' : showName(stored.name) },
    { text: String(policy?.priority ?? '<unknown>') },
    isReady ? { text: 'True', style: 'green' } : { text: 'False', style: 'red' },
    { text: String(releases.length) },
    { text: policy?.operations.action ?? '<none>' },
    { text: policy?.versions.action ?? '<none>' },
    { text: policy?.drift.action ?? '<none>' },
    { text: policy === undefined ? '<none>' : showFreeze(policy) },
    ...(wide ? [{ text: showReleases(releases).join(',') || '<none>' }] : []),
    { text: ageOf(stored, nowMs) },
  ];
};

/** Who may change what of a release's objects, by counts and by the names of presets. */
const showLeft = ({ drift: { ignore, allow, presets, trusted } }: Policy): string =>
  [
    `${ignore.length} ignored`,
    `${allow.length} allowed`,
    `presets ${presets.length === 0 ? '<none>' : presets.join(', ')}`,
    `${trusted.length} trusted`,
  ].join('; ');

/** One policy, in words. */
export const policyLines = ({ stored, policy, releases }: PolicyView): readonly string[] => [
  `Name:      ${stored === undefined ? '<built-in>' : showName(stored.name)}`,
  `Priority:  ${policy?.priority ?? '<unknown>'}`,
  ...(stored === undefined || stored.problems.length === 0
    ? ['Ready:     True']
    : [
        `Ready:     False, ${stored.accepted === undefined ? 'it is ignored' : `generation ${stored.accepted.generation} stays in force`}`,
        ...stored.problems.map(({ field, problem }) => `  ${showPath(field)}: ${escapeText(problem)}`),
      ]),
  ...(policy === undefined
    ? []
    : [
        `Left to:   ${showLeft(policy)}`,
        `Actions:   operations ${policy.operations.action}, versions ${policy.versions.action}, drift ${policy.drift.action}, freeze ${policy.freeze.action}`,
      ]),
  `In force on${releases.length === 0 ? ' no release' : `:`}`,
  ...showReleases(releases).map((release) => `  ${release}`),
];

export const policyObject = ({ stored, policy, releases }: PolicyView): object => ({
  apiVersion: 'belay.dev/v1alpha1',
  kind: 'ReleasePolicyReport',
  metadata: { name: stored?.name ?? '' },
  builtIn: stored === undefined,
  priority: policy?.priority ?? null,
  ready: stored === undefined || stored.problems.length === 0,
  problems: stored?.problems ?? [],
  presets: policy?.drift.presets ?? [],
  releases,
});
