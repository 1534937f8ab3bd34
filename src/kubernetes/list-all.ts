import type { Api } from './api.ts';
import type { ReflectedObject } from './object.ts';

/** Objects a page: client-go's own default. */
export const PAGE_SIZE = 500;

export interface ListRequest {
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * The whole collection in one answer. An API server before 1.34 reads a list with a limit from etcd, and one without from its cache, which it
   * first brings up to date (KEP-2340, ConsistentListFromCache): for a short list on a hot path that is cheaper.
   */
  readonly isWhole?: boolean;
}

export interface Page {
  readonly items: readonly ReflectedObject[];
  /** The version of the collection: a watch from here on misses nothing. */
  readonly resourceVersion: string;
  readonly hasMore: boolean;
}

interface List {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly ReflectedObject[];
}

/** The pages of a collection, one request each. At least one page comes, also of an empty collection. */
export async function* listPages(api: Api, request: ListRequest): AsyncGenerator<Page> {
  const { path, labelSelector, fieldSelector, accept, signal, isWhole = false } = request;
  let next: string | undefined;
  do {
    const page = await api.request<List>({
      path,
      query: { labelSelector, fieldSelector, limit: isWhole ? undefined : PAGE_SIZE, continue: next },
      ...(accept !== undefined && { accept }),
      ...(signal !== undefined && { signal }),
    });
    next = page.metadata?.continue || undefined;
    const { resourceVersion = '' } = page.metadata ?? {};
    yield { items: page.items ?? [], resourceVersion, hasMore: next !== undefined };
  } while (next !== undefined);
}

/** As many objects of a collection as the pages hold. */
export interface Listed<T> {
  readonly items: readonly T[];
  /** Whether the collection has more. */
  readonly isCut: boolean;
}

export const listSome = async (api: Api, request: ListRequest, maxPages: number): Promise<Listed<ReflectedObject>> => {
  const items: ReflectedObject[] = [];
  let pages = 0;
  for await (const page of listPages(api, request)) {
    items.push(...page.items);
    pages += 1;
    if (pages >= maxPages) return { items, isCut: page.hasMore };
  }
  return { items, isCut: false };
};

/** Every object of a collection. */
export const listAll = async (
  api: Api,
  path: string,
  labelSelector?: string,
  accept?: string,
): Promise<readonly ReflectedObject[]> => {
  const items: ReflectedObject[] = [];
  for await (const page of listPages(api, { path, labelSelector, accept })) items.push(...page.items);
  return items;
};
