import { type ApiClient, createApiClient } from '../cluster/harness/api-client.ts';

/** At once, to the API server: each over a connection of its own. */
const WRITERS = 12;

/** Does that work for each of them, as an administrator, some at once and in order. Rejects with the first failure. */
export const forAll = async <Item>(
  { adminKubeconfig }: { readonly adminKubeconfig: string },
  items: Iterable<Item>,
  work: (client: ApiClient, item: Item) => Promise<unknown>,
): Promise<void> => {
  const waiting = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      const client = createApiClient(adminKubeconfig);
      try {
        for (let next = waiting.next(); !next.done; next = waiting.next()) await work(client, next.value);
      } finally {
        client.close();
      }
    }),
  );
};
