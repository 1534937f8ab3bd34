import type { Api } from './api.ts';
import type { ReflectedObject } from './object.ts';

/** Objects a page: client-go's own default. */
const PAGE_SIZE = 500;

interface List {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly ReflectedObject[];
}

/** Every object of a collection, page by page. */
export const listAll = async (
  api: Api,
  path: string,
  labelSelector?: string,
  accept?: string,
): Promise<readonly ReflectedObject[]> => {
  const items: ReflectedObject[] = [];
  let next: string | undefined;
  do {
    const page = await api.request<List>({
      path,
      query: { labelSelector, limit: PAGE_SIZE, continue: next },
      ...(accept === undefined ? {} : { accept }),
    });
    items.push(...(page.items ?? []));
    next = page.metadata?.continue || undefined;
  } while (next !== undefined);
  return items;
};
