import type { Api } from '../kubernetes/api.ts';
import type { Kind } from '../kubernetes/kinds.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isBuiltInGroup } from '../rules/drift/built-in-groups.ts';
import type { Method } from './findings.ts';

export interface DocumentWrite {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly document: KubernetesObject;
  readonly manager: string;
  readonly method: Method;
  /** Whether the write takes over fields that other managers own. */
  readonly force: boolean;
  /** The API server answers with the result, and stores nothing. */
  readonly dryRun: boolean;
}

/** Kubernetes' own kinds say how their lists are merged. Lists of custom resources are replaced. */
const mergePatchOf = ({ group }: Kind): string =>
  isBuiltInGroup(group) ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';

/**
 * Writes a chart's document under Helm's name. With a resourceVersion and a uid in the document, the write is a compare-and-swap. Resolves to the
 * written object. Rejects with ApiError.
 */
export const writeDocument = (api: Api, write: DocumentWrite, signal: AbortSignal): Promise<KubernetesObject> => {
  const { kind, namespace, name, document, manager, method, force, dryRun } = write;
  const isApply = method === 'apply';
  return api.request<KubernetesObject>({
    method: 'PATCH',
    path: kind.path(namespace, name),
    query: {
      fieldManager: manager,
      force: isApply ? String(force) : undefined,
      dryRun: dryRun ? 'All' : undefined,
      // The API server drops fields that it does not know, as it did when Helm wrote the document.
      fieldValidation: 'Ignore',
    },
    contentType: isApply ? 'application/apply-patch+yaml' : mergePatchOf(kind),
    body: document,
    signal,
  });
};
