import { ApiError } from '../../kubernetes/api.ts';
import { showName } from '../../text/escape.ts';
import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { Failure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { type Format, printObjects } from '../output/machine.ts';
import { warn } from '../output/say.ts';
import { layOut } from '../output/table.ts';
import { readPolicies } from '../releases/policies.ts';
import { readSnapshot } from '../releases/snapshot.ts';
import { policyHeads, policyLines, policyObject, policyRow, viewPolicies } from './policy-list.ts';

export interface PolicyOptions extends ClusterOptions {
  readonly output?: Format;
  readonly headers: boolean;
}

/** `belay policy`. */
export const policy = async (
  name: string | undefined,
  options: PolicyOptions,
  invocation: Invocation,
): Promise<void> => {
  const { api, namespace } = await openCluster(options, invocation);
  const stored = await readPolicies(api);
  if (name !== undefined && !stored.some((one) => one.name === name))
    throw new Failure(`releasepolicy ${JSON.stringify(name)} not found`);
  const everywhere = await readSnapshot(api, { namespace: undefined, names: [] }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  });
  // Few users may list the records of all namespaces. The fallback is their own namespace.
  const snapshot = everywhere ?? (await readSnapshot(api, { namespace, names: [] }));
  const { views, unknown } = viewPolicies(stored, snapshot);
  const shown = name === undefined ? views : views.filter((view) => view.stored?.name === name);
  if (options.output === 'json' || options.output === 'yaml') {
    await printObjects(options.output, shown.map(policyObject), name !== undefined);
  } else if (options.output === 'name') {
    for (const view of shown)
      if (view.stored !== undefined) process.stdout.write(`releasepolicy.belay.dev/${showName(view.stored.name)}\n`);
  } else if (name !== undefined && options.output === undefined) {
    process.stdout.write(`${shown.flatMap(policyLines).join('\n')}\n`);
  } else {
    const wide = options.output === 'wide';
    const rows = [
      ...(options.headers ? [policyHeads(wide)] : []),
      ...shown.map((view) => policyRow(view, wide, Date.now())),
    ];
    process.stdout.write(`${layOut(rows).lines.join('\n')}\n`);
  }
  if (everywhere === undefined)
    warn(`only releases of namespace ${showName(namespace)} are counted: you may not list those of all namespaces`);
  if (unknown > 0) warn(`${unknown} releases are left out: you may not read the labels of their namespaces`);
};
