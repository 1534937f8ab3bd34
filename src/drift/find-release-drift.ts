import { createAutoscalers } from '../facts/autoscalers.ts';
import { createInstalledPresets } from '../facts/installed-presets.ts';
import { type Manifest, type Manifests, UnreadableManifest } from '../facts/manifests.ts';
import type { ManifestDocument } from '../helm/manifest.ts';
import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import { asksForInstalled } from '../policy/left-paths.ts';
import type { Policy } from '../policy/policy.ts';
import { findOperation, lastDeployed, type ReleaseFacts } from '../rules/in-flight.ts';
import { type CheckDependencies, type Checked, type CheckedBy, checkObject } from './check-object.ts';
import { type ObjectDrift, type ReleaseDrift, type Skipped, skip, type UncheckedObject } from './findings.ts';
import { marksOf } from './placed-document.ts';

export interface FindDependencies extends CheckDependencies {
  readonly manifests: Pick<Manifests, 'of'>;
  readonly nowMs: () => number;
  /** How many objects of one release are looked at together. */
  readonly atOnce: number;
}

/** What is known of the release. */
export interface ReleaseSituation {
  readonly facts: ReleaseFacts;
  readonly policy: Policy;
}

/**
 * The revision that governs a release: the one deployed last. While an operation is in flight there is none, because the operation is changing the
 * objects. After an operation that failed or is stuck, the revision deployed before it still governs.
 */
export const findGoverning = (
  { facts, policy }: ReleaseSituation,
  nowMs: number,
): { readonly governing: ReleaseRecord } | { readonly why: Skipped } => {
  if (facts.records.length === 0) return { why: 'no record' };
  const { staleAfterMs } = policy.operations;
  if (findOperation(facts, { nowMs, staleAfterMs }).state === 'in-flight') return { why: 'operation in flight' };
  const governing = lastDeployed(facts.records);
  return governing === undefined ? { why: 'nothing deployed' } : { governing };
};

/** The last document for each object: Helm applies the documents in order. */
const lastOfEach = ({ documents, namespace }: Manifest): readonly ManifestDocument[] => [
  ...new Map(
    documents.map((document) => [
      JSON.stringify([document.group, document.kind, document.namespace || namespace, document.name]),
      document,
    ]),
  ).values(),
];

/** Looks at every object of the manifest that governs a release. Rejects with ApiError when the record cannot be read. */
export const findReleaseDrift = async (
  dependencies: FindDependencies,
  release: ReleaseName,
  situation: ReleaseSituation,
  signal: AbortSignal,
): Promise<ReleaseDrift> => {
  const judged = findGoverning(situation, dependencies.nowMs());
  if ('why' in judged) return skip(release, judged.why);
  const { governing } = judged;
  const manifest = await dependencies.manifests.of(governing).catch((error: unknown) => {
    if (error instanceof UnreadableManifest) return undefined;
    throw error;
  });
  if (manifest === undefined) return skip(release, 'unreadable record');
  const documents = lastOfEach(manifest);
  const { drift } = situation.policy;
  const checkedBy: CheckedBy = {
    revision: governing.uid,
    marks: marksOf(release, manifest.namespace),
    drift,
    installed: asksForInstalled(drift) ? await createInstalledPresets(dependencies.kinds).find(signal) : [],
    autoscalers: createAutoscalers(dependencies.api),
  };

  const results: Checked[] = new Array(documents.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < documents.length) {
      const index = next++;
      const document = documents[index];
      if (document !== undefined) results[index] = await checkObject(dependencies, checkedBy, document, signal);
    }
  };
  await Promise.all(Array.from({ length: dependencies.atOnce }, worker));

  const drifted: ObjectDrift[] = [];
  const unchecked: UncheckedObject[] = [];
  for (const result of results) {
    if (result.found === 'drift') drifted.push(result.drift);
    if (result.found === 'unchecked') unchecked.push(result.unchecked);
  }
  return {
    checked: true,
    release,
    governing,
    chart: `${manifest.chart.name}-${manifest.chart.version}`,
    namespace: manifest.namespace,
    listed: documents.length,
    drifted,
    unchecked,
  };
};
