import type { ReleaseName } from '../../helm/names.ts';
import type { ObjectRef } from '../../kubernetes/object.ts';
import type { FieldChange, FieldOwner } from '../../rules/verdict.ts';
import { showName, showPath } from '../../text/escape.ts';
import { helmUpgradeByForce } from './commands.ts';
import { showObject } from './explanation.ts';

const showOwner = ({ manager, operation, subresource }: FieldOwner): string => {
  const name = manager === '' ? 'an unnamed client' : showName(manager);
  if (subresource !== undefined) return `${name} (by ${showName(subresource)})`;
  return operation === 'Update' ? `${name} (by update)` : name;
};

const showVersioned = (owner: FieldOwner): string => `${showOwner(owner)} using ${showName(owner.apiVersion)}`;

const showOwners = (owners: readonly FieldOwner[], show = showOwner): string =>
  owners.length === 0 ? 'nobody' : [...new Set(owners.map(show))].join(' and ');

/** `helm -> helm and kubectl`. The versions are shown where nothing else differs. */
export const showOwnerChange = ({ before, after }: NonNullable<FieldChange['owners']>): string => {
  const [old, now] = [showOwners(before), showOwners(after)];
  return old === now
    ? `${showOwners(before, showVersioned)} -> ${showOwners(after, showVersioned)}`
    : `${old} -> ${now}`;
};

/** A warning has 255 characters. */
const MAX_SHOWN_FIELDS = 2;

const showFields = (fields: readonly FieldChange[]): string => {
  const more = fields.length - MAX_SHOWN_FIELDS;
  const shown = fields.slice(0, MAX_SHOWN_FIELDS).map(({ path }) => showPath(path).slice(0, 80));
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

const takeBack = (release: ReleaseName): string =>
  `an upgrade by Helm 4 that changes this conflicts with the new owner; to take it back: ${helmUpgradeByForce(release)}`;

/** What is told whoever has brought fields back to the chart's values, and owns them now. */
export const warnOfOwners = (release: ReleaseName, restored: readonly FieldChange[]): readonly string[] => {
  const [first] = restored;
  if (first === undefined) return [];
  const has =
    restored.length === 1 ? "has the chart's value again, and belongs" : "have the chart's values again, and belong";
  const owners = showOwners(restored.flatMap(({ owners: each }) => each?.after ?? []));
  return [`${showFields(restored)} ${has} to ${owners} now`, takeBack(release)];
};

/** The same of a whole object that was missing, and that another manager than Helm has brought back. */
export const warnOfCreator = (release: ReleaseName, object: ObjectRef, manager: string): readonly string[] => [
  `${showObject(object)} is there again as the chart has it, and its fields belong to ${showName(manager)} now`,
  takeBack(release),
];
