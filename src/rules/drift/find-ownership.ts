import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { FieldChange } from '../verdict.ts';
import { isBuiltInGroup } from './built-in-groups.ts';
import { chartShape } from './chart-shape.ts';
import {
  findReleaseWriters,
  isSameOwnership,
  type Ownership,
  ownershipOf,
  type ReleaseWriters,
} from './field-ownership.ts';
import { type DriftInput, identify } from './find-drift.ts';
import { descend, ignoredPaths, isIgnored } from './ignored-paths.ts';
import { deepEqual, isMap, own } from './json.ts';
import type { KindVersions } from './kind-versions.ts';
import { OwnershipWalk } from './ownership-walk.ts';

/**
 * Fields that keep their value, and of which the release loses the ownership or comes to share it: the next upgrade fails by them or leaves them
 * behind. Helm 4 applies a release:
 * - It conflicts with everybody else who owns a field that it changes. Where nobody owns anything, that is `before-first-apply`.
 * - It removes only fields that it owns, and it removes all those that it owns and that the chart does not set.
 *
 * Helm 3 does not look at owners. But the upgrade by which Helm 4 begins to apply such a release fails where fields have no owner.
 * A field that changes its value changes its owner with it. Such fields are left to `findDrift`.
 */
export const findOwnershipDrift = (input: DriftInput): readonly FieldChange[] => {
  const { before, after } = input;
  if (isSameOwnership(before, after)) return [];
  const writers = findReleaseWriters(before);
  return writers === undefined || namesUnserved(before, input.versions) ? [] : walkOwnership(input, writers).drift;
};

/** Fields that have the chart's value again, and that somebody else owns now than who applies the release. */
export const findRestored = (input: DriftInput): readonly FieldChange[] => {
  const { before } = input;
  if (!changesChart(input)) return [];
  const writers = findReleaseWriters(before);
  return writers?.operation === 'Apply' ? walkOwnership(input, writers).restored : [];
};

const walkOwnership = (input: DriftInput, writers: ReleaseWriters): OwnershipWalk => {
  const { before, after, document, scope } = input;
  const { group, kind } = identify(after, before);
  const ignore = ignoredPaths(group, kind, document, before, input);
  const isApplied = writers.operation === 'Apply';
  const isSecret = kind === 'Secret' && group === '';
  const isBuiltIn = isBuiltInGroup(group);
  const walk = new OwnershipWalk({ isApplied, isBuiltIn, isSecret, chartOnly: scope === 'ChartFields' });
  if (isIgnored(ignore) || isIgnored(descend(descend(ignore, 'metadata'), 'managedFields'))) return walk;
  const [old, now] = [ownershipOf(before, writers), ownershipOf(after, writers)];
  if (isApplied && isAnotherEntry(old, now)) walk.reportEntry(old, now);
  else {
    // Helm owns `stringData` as it was sent. The API server stores it as `data`.
    const chart = { ...chartShape(document, input, isSecret), stringData: own(document, 'stringData') };
    walk.visitObject(old, now, { chart, before, after, ignore });
  }
  return walk;
};

/** Whether the write changes anything where the chart sets something. Most writes do not, and walk no trees. */
const changesChart = ({ document, before, after }: DriftInput): boolean =>
  Object.keys(document).some((key) =>
    key === 'metadata'
      ? changesIn('labels', document, before, after) || changesIn('annotations', document, before, after)
      : key !== 'status' && !deepEqual(own(before, key), own(after, key)),
  );

const changesIn = (
  key: 'labels' | 'annotations',
  document: Readonly<Record<string, unknown>>,
  { metadata: old }: KubernetesObject,
  { metadata: now }: KubernetesObject,
): boolean => {
  const metadata = own(document, 'metadata');
  const set = isMap(metadata) ? own(metadata, key) : undefined;
  return isMap(set) && Object.keys(set).some((name) => old?.[key]?.[name] !== now?.[key]?.[name]);
};

/**
 * Whether an entry names a version that the API server no longer serves. The API server then drops entries by itself, with the next write of
 * anybody.
 */
const namesUnserved = (before: KubernetesObject, versions: KindVersions | undefined): boolean =>
  versions !== undefined &&
  (before.metadata?.managedFields ?? []).some(({ apiVersion = '' }) => versions.unserved.has(apiVersion));

/** Whether an entry of the release has gone altogether, or tells its fields in another version of the kind. */
const isAnotherEntry = (old: Ownership, now: Ownership): boolean =>
  old.release.some(({ owner }) =>
    now.release.every(({ owner: other }) => other.manager !== owner.manager || other.apiVersion !== owner.apiVersion),
  );
