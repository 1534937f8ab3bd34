import type { Policy } from './policy.ts';

/**
 * Silence after which an operation counts as dead, where neither a policy nor `belay serve --stale-after` sets another time. The command line
 * uses it too: it cannot see the flags of a server.
 */
export const DEFAULT_STALE_AFTER_MS = 600_000;

/** The policy that is in force where no ReleasePolicy matches. */
export const builtInPolicy = (staleAfterMs: number): Policy => ({
  name: undefined,
  priority: 0,
  matches: () => true,
  operations: { action: 'Deny', staleAfterMs },
  versions: { action: 'Deny', downgrade: 'Allow', range: undefined },
  drift: {
    action: 'Deny',
    users: 'AllFields',
    serviceAccounts: 'ChartFields',
    ignore: [],
    allow: [],
    presets: [],
    trusted: [],
    dryRun: 'Warn',
    repair: { action: 'Off', prune: false, intervalMs: 600_000 },
  },
  freeze: { action: 'Deny', reason: undefined, windows: [] },
});

/** Names are ASCII (RFC 1123 subdomains), so JavaScript compares them byte by byte, as Go does. */
const isAbove = (policy: Policy, other: Policy): boolean =>
  policy.priority === other.priority ? (policy.name ?? '') < (other.name ?? '') : policy.priority > other.priority;

/** The policy of highest priority that matches a release; of equals, the policy whose name comes first. */
export const policyInForce = (
  policies: Iterable<Policy>,
  release: { readonly name: string },
  namespaceLabels: Readonly<Record<string, string>>,
  builtIn: Policy,
): Policy => {
  const asked = { name: release.name, namespaceLabels };
  let best: Policy | undefined;
  for (const policy of policies) {
    if ((best === undefined || isAbove(policy, best)) && policy.matches(asked)) best = policy;
  }
  return best ?? builtIn;
};
