import type { KubernetesObject } from '../../src/kubernetes/object.ts';

interface Asked {
  readonly request: {
    readonly operation: string;
    readonly kind: { readonly kind: string };
    readonly name?: string;
    readonly dryRun?: boolean;
    readonly object: KubernetesObject | null;
    readonly oldObject: KubernetesObject | null;
  };
}

/** `helm`'s own entry says whether it applied an object, or created, patched or replaced it. */
const wayOf = ({ metadata }: KubernetesObject): string => {
  const entries = (metadata?.managedFields ?? []).filter(({ manager }) => manager === 'helm');
  return entries.some(({ operation }) => operation === 'Apply') ? ' by apply' : '';
};

/** One write of Helm as a line: `UPDATE Secret sh.helm.release.v1.web.v1 deployed -> superseded`. */
export const lineOf = (review: unknown): string => {
  const { operation, kind, name = '', object, oldObject } = (review as Asked).request;
  const status = (of: KubernetesObject | null): string | undefined =>
    of?.metadata?.labels?.owner === 'helm' ? of.metadata.labels.status : undefined;
  const statuses = [status(oldObject), status(object)].filter((each) => each !== undefined);
  const how = statuses.length > 0 ? ` ${statuses.join(' -> ')}` : object === null ? '' : wayOf(object);
  return `${operation} ${kind.kind} ${name}${how}`;
};

export const isWrite = (review: unknown): boolean => (review as Asked).request.dryRun !== true;

/** Objects are deleted in parallel, and so come in any order. */
export const withSortedDeletes = (writes: readonly string[]): readonly string[] => {
  const isDelete = (line: string): boolean => /^DELETE (?!Secret)/.test(line);
  const sorted: string[] = [];
  let run: string[] = [];
  for (const line of [...writes, '']) {
    if (isDelete(line)) {
      run.push(line);
      continue;
    }
    sorted.push(...run.sort(), ...(line === '' ? [] : [line]));
    run = [];
  }
  return sorted;
};
