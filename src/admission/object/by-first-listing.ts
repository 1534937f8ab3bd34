import type { Manifest, Manifests } from '../../facts/manifests.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import type { ObjectWrite } from '../../rules/object.ts';
import type { Verdict } from '../../rules/verdict.ts';
import type { Now } from '../wire/answer.ts';

interface ByManifest {
  readonly lists: (manifest: Manifest) => boolean;
  readonly judgeBy: (governing: ReleaseRecord, manifest: Manifest) => Now<Verdict>;
}

/**
 * Judges by the first candidate that lists the object: nobody gets an object out by a record that lists nothing. Where none lists it, the
 * last that could be read says so. A candidate that takes too long to read fails the judgement, unless an earlier one lists the object.
 */
export const byFirstListing = (
  manifests: Manifests,
  candidates: readonly ReleaseRecord[],
  object: ObjectWrite['object'],
  { lists, judgeBy }: ByManifest,
): Now<Verdict | undefined> => {
  let verdict: Now<Verdict> | undefined;
  for (const [index, candidate] of candidates.entries()) {
    const cached = manifests.cached(candidate, object);
    if (cached === undefined) {
      const others = candidates.slice(index + 1);
      return manifests.of(candidate, object).then(async (manifest) => {
        if (manifest !== undefined && lists(manifest)) return judgeBy(candidate, manifest);
        const unlisted = manifest === undefined ? verdict : judgeBy(candidate, manifest);
        return (await byFirstListing(manifests, others, object, { lists, judgeBy })) ?? unlisted;
      });
    }
    verdict = judgeBy(candidate, cached);
    if (lists(cached)) return verdict;
  }
  return verdict;
};
