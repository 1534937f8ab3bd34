import type { Api } from './api.ts';
import type { ReflectedObject } from './object.ts';
import type { Shape } from './prune-json.ts';
import { AnswerTooLarge, type StreamedList } from './read-list.ts';

/** Objects a page, at most: client-go's own default. */
export const PAGE_SIZE = 500;

/**
 * The first page has few objects, and each of the next ones at most four times as many, so that what they hold shows before much is asked for: whoever
 * may write Secrets may write thousands of a megabyte each, and the API server has a page in memory as a whole. Of the usual
 * metadata, of one or two KB, the third page is a full one.
 */
const FIRST_PAGE_SIZE = 40;
const MAX_GROWTH = 4;

/** What a page should have. It is four times what 500 records of Helm have. */
const WANTED_PAGE_BYTES = 2 * 1024 * 1024;

/** A page of more than this is read no further, and asked for again with fewer objects, down to a single one. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

export interface ListRequest {
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is kept of each object. All of it by default. */
  readonly shape?: Shape | undefined;
  /** Rejects with AnswerTooLarge when the whole collection has more bytes. No bound by default. */
  readonly maxBytes?: number | undefined;
  /**
   * The whole collection in one answer, if it fits. An API server before 1.34 reads a list with a limit from etcd, and one without from its cache, which it
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

type List = Partial<StreamedList<ReflectedObject>>;

/** How many objects to ask for next, by what those of the last page had. */
const nextSize = (size: number, items: number, bytes: number): number => {
  const fitting = bytes === 0 ? PAGE_SIZE : Math.floor((WANTED_PAGE_BYTES * items) / bytes);
  return Math.max(1, Math.min(fitting, MAX_GROWTH * size, PAGE_SIZE));
};

/** One page of as many objects as fit, and how many objects were asked for. */
const readPage = async (
  api: Api,
  request: ListRequest,
  wantedSize: number | undefined,
  next: string | undefined,
  leftBytes: number,
): Promise<{ readonly page: List; readonly size: number }> => {
  const { path, labelSelector, fieldSelector, accept, signal, shape = 'all' } = request;
  let size = wantedSize;
  for (;;) {
    const maxBytes = size === 1 ? leftBytes : Math.min(leftBytes, MAX_PAGE_BYTES);
    try {
      const page = await api.request<List>({
        path,
        query: { labelSelector, fieldSelector, limit: size, continue: next },
        list: { shape, maxBytes },
        ...(accept !== undefined && { accept }),
        ...(signal !== undefined && { signal }),
      });
      return { page, size: size ?? PAGE_SIZE };
    } catch (error) {
      if (!(error instanceof AnswerTooLarge) || maxBytes === leftBytes) throw error;
      size = Math.max(1, Math.min(Math.floor(error.itemsRead / 2), size ?? PAGE_SIZE));
    }
  }
};

/** The pages of a collection. At least one page comes, also of an empty collection. */
export async function* listPages(api: Api, request: ListRequest): AsyncGenerator<Page> {
  const { isWhole = false, maxBytes = Number.POSITIVE_INFINITY } = request;
  let size = isWhole ? undefined : FIRST_PAGE_SIZE;
  let next: string | undefined;
  let leftBytes = maxBytes;
  do {
    const read = await readPage(api, request, size, next, leftBytes);
    const { items = [], metadata, bytes = 0 } = read.page;
    leftBytes -= bytes;
    size = nextSize(read.size, items.length, bytes);
    next = metadata?.continue || undefined;
    yield { items, resourceVersion: metadata?.resourceVersion ?? '', hasMore: next !== undefined };
  } while (next !== undefined);
}

/** As many objects of a collection as were asked for. */
export interface Listed<T> {
  readonly items: readonly T[];
  /** Whether the collection has more. */
  readonly isCut: boolean;
}

/** `maxItems` is rounded up to whole pages. */
export const listSome = async (api: Api, request: ListRequest, maxItems: number): Promise<Listed<ReflectedObject>> => {
  const items: ReflectedObject[] = [];
  for await (const page of listPages(api, request)) {
    items.push(...page.items);
    if (items.length >= maxItems) return { items, isCut: page.hasMore };
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
