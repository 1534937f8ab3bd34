import { type Api, ApiError, pathOf } from '../kubernetes/api.ts';
import type { ObjectRef } from '../kubernetes/object.ts';

/** The HorizontalPodAutoscalers of the cluster, asked live: they matter only where a controller would be refused to scale. */
export interface Autoscalers {
  /** Whether one of them sets the number of replicas of the object. False where Belay may not list them. */
  target(object: ObjectRef, signal: AbortSignal): Promise<boolean>;
}

/**
 * A table has some 200 bytes for each autoscaler, whatever somebody has written into it.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';

const COLUMN = 'Reference';

/** Autoscalers a page, and pages: beyond these, a release goes on as if its workload had none. */
const PAGE_SIZE = 500;
const MAX_PAGES = 10;

interface Table {
  readonly metadata?: { readonly continue?: string };
  readonly columnDefinitions?: readonly { readonly name: string }[];
  readonly rows?: readonly { readonly cells: readonly unknown[] }[];
}

/** The cell says `Deployment/web`, without the group. */
const hasTarget = ({ columnDefinitions = [], rows = [] }: Table, { kind, name }: ObjectRef): boolean => {
  const at = columnDefinitions.findIndex((column) => column.name === COLUMN);
  return at >= 0 && rows.some(({ cells }) => cells[at] === `${kind}/${name}`);
};

export const createAutoscalers = (api: Api): Autoscalers => ({
  target: async (object, signal) => {
    if (object.namespace === '') return false;
    const path = pathOf('apis', 'autoscaling', 'v2', 'namespaces', object.namespace, 'horizontalpodautoscalers');
    let next: string | undefined;
    try {
      for (let pages = 0; pages < MAX_PAGES; pages++) {
        const query = { limit: PAGE_SIZE, includeObject: 'None', continue: next };
        const table = await api.request<Table>({ path, query, accept: TABLE, signal });
        if (hasTarget(table, object)) return true;
        next = table.metadata?.continue || undefined;
        if (next === undefined) return false;
      }
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 404)) throw error;
    }
    return false;
  },
});
