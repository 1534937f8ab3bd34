import { setTimeout as sleep } from 'node:timers/promises';
import { CLAIM_SELECTOR } from '../../facts/claim-lease.ts';
import { type Api, METADATA_ONLY, pathOf } from '../../kubernetes/api.ts';
import { leasesPath } from '../../kubernetes/lease.ts';

/** Joins a burst of writes into one change. An upgrade is a handful of writes. */
const SETTLE_MS = 200;

/** Finds changes that no watch reports: the end of a lock, a policy, an annotation on a Namespace. */
const AT_LEAST_EVERY_MS = 5_000;

/** A restarting API server is back in a few seconds. */
const RECONNECT_MS = 1_000;

/** Yields whenever a release may have changed. Ends when the signal fires. */
export async function* watchChanges(
  api: Api,
  namespace: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<undefined> {
  let wake: () => void = () => undefined;
  let isChanged = false;
  const changed = (): void => {
    isChanged = true;
    wake();
  };
  const scope = namespace === undefined ? [] : ['namespaces', namespace];
  const follow = async (path: string, labelSelector: string): Promise<void> => {
    while (!signal.aborted) {
      try {
        for await (const _event of api.watch({ path, query: { labelSelector }, accept: METADATA_ONLY, signal }))
          changed();
      } catch {
        // The caller also reads by the clock, and learns the error there.
      }
      await sleep(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  const following = [
    follow(pathOf('api', 'v1', ...scope, 'secrets'), 'owner=helm'),
    follow(pathOf('api', 'v1', ...scope, 'configmaps'), 'owner=helm'),
    follow(leasesPath(namespace), CLAIM_SELECTOR),
  ];
  while (!signal.aborted) {
    if (!isChanged) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, AT_LEAST_EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    await sleep(SETTLE_MS, undefined, { signal }).catch(() => undefined);
    isChanged = false;
    if (!signal.aborted) yield;
  }
  await Promise.all(following);
}
