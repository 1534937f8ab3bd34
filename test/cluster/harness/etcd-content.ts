import type { ClusterPlace } from './cluster.ts';

/**
 * Everything that a cluster has stored, and the way back to it: etcd itself is asked, over the JSON of its gRPC gateway, since nothing that goes
 * through the API server would be without traces (finalizers, garbage collection, admission).
 * https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
 */
export interface EtcdContent {
  /** Values by key, both in base64. */
  readonly values: ReadonlyMap<string, string>;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const FROM = base64('/registry/');
/** The first key after all that begin with it: `0` comes after `/`. */
const TO = base64('/registry0');

/** What the cluster's own programs renew by themselves; an old value of these would look as if one of them had died. */
const LIVING = ['/registry/leases/kube-system/', '/registry/leases/kube-node-lease/', '/registry/minions/'];

interface RangeAnswer {
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
}

const ask = async ({ address, ports }: ClusterPlace, path: string, body: object): Promise<unknown> => {
  const answer = await fetch(`http://${address}:${ports.etcdClient}/v3/kv/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!answer.ok)
    throw new Error(`etcd does not answer ${path}: ${answer.status} ${(await answer.text()).slice(0, 500)}`);
  return answer.json();
};

export const readContent = async (place: ClusterPlace): Promise<EtcdContent> => {
  const { kvs = [] } = (await ask(place, 'range', { key: FROM, range_end: TO })) as RangeAnswer;
  const isLiving = (key: string): boolean => {
    const name = Buffer.from(key, 'base64').toString();
    return LIVING.some((prefix) => name.startsWith(prefix));
  };
  return { values: new Map(kvs.filter(({ key }) => !isLiving(key)).map(({ key, value = '' }) => [key, value])) };
};

type Operation =
  | { readonly request_delete_range: { readonly key: string } }
  | { readonly request_put: { readonly key: string; readonly value: string } };

/** What leads from `now` to `wanted`. */
const operationsBetween = (now: EtcdContent, wanted: EtcdContent): readonly Operation[] => [
  ...[...now.values.keys()].filter((key) => !wanted.values.has(key)).map((key) => ({ request_delete_range: { key } })),
  ...[...wanted.values]
    .filter(([key, value]) => now.values.get(key) !== value)
    .map(([key, value]) => ({ request_put: { key, value } })),
];

/** One write of etcd for all of them, so that no controller sees half of it; etcd's own bound is told by `--max-txn-ops`. */
export const MOST_OPERATIONS = 100_000;

/** Writes what leads back to `wanted`; resolves with the number of keys that differed. */
export const restoreContent = async (place: ClusterPlace, wanted: EtcdContent): Promise<number> => {
  const operations = operationsBetween(await readContent(place), wanted);
  if (operations.length > 0) await ask(place, 'txn', { success: operations });
  return operations.length;
};
