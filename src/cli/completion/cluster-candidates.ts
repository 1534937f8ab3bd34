import { METADATA_LIST_ONLY } from '../../kubernetes/api.ts';
import { listAll } from '../../kubernetes/list-all.ts';
import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { readKubeconfig } from '../access/kubeconfig.ts';
import type { Invocation } from '../invocation.ts';
import { groupByRelease, newestIn } from '../releases/release-view.ts';
import { listRecords } from '../releases/snapshot.ts';
import type { Candidate } from './answer.ts';

export const releaseCandidates = async (
  options: ClusterOptions & { readonly allNamespaces?: boolean },
  invocation: Invocation,
): Promise<readonly Candidate[]> => {
  const { api, namespace } = await openCluster(options, invocation);
  const records = await listRecords(api, { namespace: options.allNamespaces ? undefined : namespace, names: [] });
  return groupByRelease(records).flatMap((group) => {
    const newest = newestIn(group);
    return newest === undefined
      ? []
      : [{ value: newest.release, description: `${newest.status}, revision ${newest.revision}` }];
  });
};

export const namespaceCandidates = async (
  options: ClusterOptions,
  invocation: Invocation,
): Promise<readonly Candidate[]> => {
  const { api } = await openCluster(options, invocation);
  const namespaces = await listAll(api, '/api/v1/namespaces', undefined, METADATA_LIST_ONLY);
  return namespaces.flatMap(({ metadata }) => (metadata?.name === undefined ? [] : [{ value: metadata.name }]));
};

export const policyCandidates = async (
  options: ClusterOptions,
  invocation: Invocation,
): Promise<readonly Candidate[]> => {
  const [{ api }, { POLICIES_PATH }] = await Promise.all([
    openCluster(options, invocation),
    import('../../facts/policy-status.ts'),
  ]);
  const policies = await listAll(api, POLICIES_PATH, undefined, METADATA_LIST_ONLY);
  return policies.flatMap(({ metadata }) => (metadata?.name === undefined ? [] : [{ value: metadata.name }]));
};

/** The names in the kubeconfig. */
export const kubeconfigCandidates = (
  kind: 'contexts' | 'clusters' | 'users',
  { kubeconfig }: ClusterOptions,
): readonly Candidate[] => (readKubeconfig(kubeconfig, process.env)?.[kind] ?? []).map(({ name }) => ({ value: name }));
