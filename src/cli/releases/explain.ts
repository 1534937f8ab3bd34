import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { explainLines } from '../explain/explain-lines.ts';
import type { Invocation } from '../invocation.ts';
import { candidatesFor } from './candidates.ts';
import { lookAtOne } from './look.ts';

/** `belay explain`. */
export const explain = async (name: string, options: ClusterOptions, invocation: Invocation): Promise<void> => {
  const { api, namespace } = await openCluster(options, invocation);
  const { view, snapshot } = await lookAtOne(api, namespace, name);
  const labels = snapshot.namespace(namespace)?.labels;
  const { policies } = snapshot;
  const candidates =
    policies === undefined || (labels === undefined && policies.length > 0)
      ? undefined
      : candidatesFor(policies, name, labels ?? {});
  const lines = explainLines({ view, candidates, nowMs: Date.now() }, invocation);
  process.stdout.write(`${lines.join('\n')}\n`);
};
