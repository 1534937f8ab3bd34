import type { Manifest } from '../../facts/manifests.ts';
import type { Situation } from '../../facts/situation.ts';
import type { ManifestDocument } from '../../helm/manifest.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { type LeftWhen, leftPathsFor } from '../../policy/left-paths.ts';
import type { Freeze } from '../../policy/lock.ts';
import { findResembling } from '../../policy/presets/resembling.ts';
import { isTrusted } from '../../policy/subjects.ts';
import type { OperationState } from '../../rules/in-flight.ts';
import { findMaintenanceWindow } from '../../rules/locks.ts';
import type { ManifestFacts } from '../../rules/object.ts';
import { isUninstallRefused } from '../../rules/refused-uninstall.ts';
import type { FieldChange } from '../../rules/verdict.ts';
import type { GovernedWrite } from './governed-write.ts';

/** What is known of a write before a manifest is looked at. */
export interface BeforeManifest {
  readonly governed: GovernedWrite;
  readonly situation: Situation;
  readonly state: OperationState;
  readonly freezes: readonly Freeze[];
  /** What is known of controllers and autoscalers. */
  readonly when: LeftWhen;
}

/** The paths of the object that the policy leaves to the writer. */
export const leftPaths = (
  { governed: { write, user }, situation: { policy }, when }: BeforeManifest,
  document: Record<string, unknown>,
  isFrozen: boolean,
): readonly string[] => leftPathsFor(policy.drift, { user, object: write.object, document }, when, isFrozen);

/** What the rules need to know of the governing revision. `listed` is the chart's document of the object, if the manifest lists it. */
export const toManifestFacts = (
  before: BeforeManifest,
  governing: ReleaseRecord,
  manifest: Manifest,
  listed: ManifestDocument | undefined,
): ManifestFacts => {
  const {
    governed: { write, user, changes },
    situation: { facts, namespaces, policy, clock },
    state,
    freezes,
  } = before;
  const isFrozen = freezes.length > 0;
  const isEdit = write.attempt === 'change' || write.attempt === 'scale';
  const changesOf = (frozen: boolean): readonly FieldChange[] =>
    listed === undefined || !isEdit
      ? []
      : changes.find(listed.document, policy, leftPaths(before, listed.document, frozen));
  return {
    governing,
    state,
    chart: `${manifest.chart.name}-${manifest.chart.version}`,
    listed: listed !== undefined,
    changes: changesOf(false),
    ...(isFrozen && { changesWhileFrozen: changesOf(true) }),
    ...(isFrozen && isTrusted(policy.drift.trusted, user) && { trustedBy: policy.name ?? '' }),
    restores:
      listed !== undefined &&
      write.attempt === 'create' &&
      changes.restores(listed.document, policy, leftPaths(before, listed.document, false)),
    gainsOwner: isFrozen && isEdit && changes.gainsOwner(),
    restarts:
      listed !== undefined &&
      isFrozen &&
      isEdit &&
      changes.restarts(listed.document, policy, leftPaths(before, listed.document, true)),
    ...(isFrozen && changes.podLabels && { podLabels: changes.podLabels() }),
    presetFor: (changed: readonly FieldChange[]) => {
      if (listed === undefined) return undefined;
      const writer = { user, object: write.object, document: listed.document };
      const found = findResembling(
        writer,
        changed.map(({ pointer }) => pointer),
      );
      return found && { ...found, policy: policy.name };
    },
    freezes,
    uninstallRefused: isUninstallRefused(facts.claim, write.username),
    open: findMaintenanceWindow(facts.records, namespaces, clock.nowMs),
  };
};
