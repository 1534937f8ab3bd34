import { mayGovern } from '../facts/known-stores.ts';
import type { ObjectsInNamespace } from '../facts/objects-in-namespace.ts';
import type { PayloadNamespaces } from '../facts/payload-namespaces.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { Situation, Situations } from '../facts/situation.ts';
import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Freeze } from '../policy/lock.ts';
import type { Policy } from '../policy/policy.ts';
import { findFreezes } from '../rules/locks.ts';

export interface FrozenElsewhereDependencies {
  readonly index: Pick<ReleaseIndex, 'releases'>;
  readonly situations: Pick<Situations, 'fromMemory' | 'live'>;
  readonly payloadNamespaces: Pick<PayloadNamespaces, 'read'>;
  readonly objectsIn: ObjectsInNamespace;
}

/** A frozen release that has objects in a namespace without its records, or whose manifest could not be read to tell. */
export type FrozenElsewhere =
  | { readonly release: ReleaseName; readonly policy: Policy; readonly freezes: readonly Freeze[] }
  | { readonly release: ReleaseName; readonly unread: string };

/** How many manifests one review reads at once: half as many as all reviews together (facts/manifests.ts). */
const WORKERS = 4;

/** `atHome` tells whether the release's objects live in the namespace by default, whose own freeze then counts too. */
const freezesOf = ({ facts, namespace, namespaces, policy, clock }: Situation, atHome: boolean): readonly Freeze[] => {
  const counted = atHome ? namespaces : namespace === undefined ? [] : [namespace];
  return findFreezes(facts.records, counted, policy, clock.nowMs);
};

/**
 * The frozen releases with records elsewhere and objects in this namespace. Memory tells which releases are frozen. Then their manifests
 * are read, each once in the life of this process: a review that runs out of time is answered sooner when it is made again.
 */
export const findFrozenElsewhere = async (
  dependencies: FrozenElsewhereDependencies,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly FrozenElsewhere[]> => {
  const { index, situations, payloadNamespaces, objectsIn } = dependencies;
  const found: FrozenElsewhere[] = [];

  const hasObjects = async (record: ReleaseRecord): Promise<boolean> => objectsIn.has(record, namespace, signal);

  const look = async (release: ReleaseName): Promise<void> => {
    const remembered = situations.fromMemory(release, namespace);
    const records = mayGovern(remembered.facts.records);
    const homes = await Promise.all(records.map((record) => payloadNamespaces.read(record)));
    const atHome = homes.includes(namespace);
    if (!atHome && freezesOf(remembered, false).length === 0) return;
    if (!atHome && !(await Promise.all(records.map(hasObjects))).includes(true)) return;
    const live = await situations.live(release, signal, atHome ? namespace : undefined);
    const freezes = freezesOf(live, atHome);
    if (freezes.length > 0) found.push({ release, policy: live.policy, freezes });
  };

  const candidates = [...index.releases()].filter(
    (release) =>
      release.namespace !== namespace && freezesOf(situations.fromMemory(release, namespace), true).length > 0,
  );
  const work = candidates.values();
  const drain = async (): Promise<void> => {
    for (const release of work) {
      if (signal.aborted) return;
      await look(release).catch((error: unknown) => {
        found.push({ release, unread: (error as Error).message });
      });
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, drain));
  return found;
};
