import { LRUCache } from 'lru-cache';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Manifests } from './manifests.ts';

/** The namespaces that the manifest of a stored revision names. Each revision is read once, because a stored revision never changes. */
export interface ManifestNamespaces {
  /** Rejects when the manifest cannot be fetched. */
  read(record: ReleaseRecord): Promise<readonly string[]>;
}

/** Two revisions a release (the deployed one, and the one in flight) at 10,000 releases, and room; at some 150 bytes each, 4 MB. */
const MAX_REMEMBERED = 25_000;

const NONE: readonly string[] = [];

export const createManifestNamespaces = (manifests: Pick<Manifests, 'of'>): ManifestNamespaces => {
  const remembered = new LRUCache<string, readonly string[]>({ max: MAX_REMEMBERED });
  return {
    read: async (record) => {
      const known = remembered.get(record.uid);
      if (known !== undefined) return known;
      const manifest = await manifests.of(record);
      if (manifest === undefined) return NONE;
      const found = new Set(manifest.documents.map(({ namespace }) => namespace));
      found.delete('');
      // Nearly every manifest names none, and all of these share one empty list.
      const namespaces = found.size === 0 ? NONE : [...found];
      remembered.set(record.uid, namespaces);
      return namespaces;
    },
  };
};
