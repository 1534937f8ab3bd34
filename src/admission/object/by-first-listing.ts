import type { Manifest, Manifests } from '../../facts/manifests.ts';
import type { ManifestDocument } from '../../helm/manifest.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import type { ObjectWrite } from '../../rules/object.ts';
import type { Verdict } from '../../rules/verdict.ts';
import type { Now } from '../wire/answer.ts';

interface ByManifest {
  /** The chart's document of the object. Undefined where the manifest does not list it. */
  readonly find: (manifest: Manifest) => ManifestDocument | undefined;
  readonly judgeBy: (
    governing: ReleaseRecord,
    manifest: Manifest,
    listed: ManifestDocument | undefined,
  ) => Now<Verdict>;
}

/**
 * Judges by the first candidate that lists the object: nobody gets an object out by a record that lists nothing. Where none lists it, the
 * last that could be read says so. A candidate that takes too long to read fails the judgement, unless an earlier one lists the object.
 */
export const byFirstListing = (
  manifests: Manifests,
  candidates: readonly ReleaseRecord[],
  object: ObjectWrite['object'],
  { find, judgeBy }: ByManifest,
): Now<Verdict | undefined> => {
  let verdict: Now<Verdict> | undefined;
  for (const [index, candidate] of candidates.entries()) {
    const cached = manifests.cached(candidate, object);
    if (cached === undefined) {
      const others = candidates.slice(index + 1);
      return manifests.of(candidate, object).then(async (manifest) => {
        const listed = manifest && find(manifest);
        const judged = manifest === undefined ? verdict : judgeBy(candidate, manifest, listed);
        return listed !== undefined
          ? judged
          : ((await byFirstListing(manifests, others, object, { find, judgeBy })) ?? judged);
      });
    }
    const listed = find(cached);
    verdict = judgeBy(candidate, cached, listed);
    if (listed !== undefined) return verdict;
  }
  return verdict;
};
