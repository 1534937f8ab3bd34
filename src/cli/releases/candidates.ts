import type { Policy } from '../../policy/policy.ts';

/** The policies that match a release. The first is in force: by priority, and then by name (policy/policy-in-force.ts). */
export const candidatesFor = (
  policies: readonly Policy[],
  name: string,
  namespaceLabels: Readonly<Record<string, string>>,
): readonly Policy[] =>
  policies
    .filter((policy) => policy.matches({ name, namespaceLabels }))
    .sort((a, b) => b.priority - a.priority || ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
