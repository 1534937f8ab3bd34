import type { ReleaseName } from '../../helm/names.ts';
import type { ObjectRef } from '../../kubernetes/object.ts';
import type { Attempt, InFlight } from '../../rules/verdict.ts';
import { showName } from '../../text/escape.ts';

/** One entry of `status.details.causes` (metav1.StatusCause). */
export interface Cause {
  readonly reason: string;
  readonly field?: string;
  readonly message: string;
}

/** What a person is told: a headline that says what was refused and why, then facts, then what to do. */
export interface Explanation {
  readonly headline: string;
  readonly lines: readonly string[];
  readonly causes?: readonly Cause[];
}

export const showRelease = ({ namespace, name }: ReleaseName): string =>
  `release ${showName(name)} in namespace ${showName(namespace)}`;

export const showObject = ({ kind, namespace, name }: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>): string =>
  `${showName(kind)} ${name === '' ? '(no name)' : showName(name)}${namespace === '' ? '' : ` in namespace ${showName(namespace)}`}`;

const DONE_TO_OBJECT: Partial<Record<Attempt, string>> = {
  change: 'change',
  create: 'creation',
  delete: 'deletion',
  scale: 'scaling',
};

/** `upgrade of release web in namespace shop refused` */
export const showRefusal = (attempt: Attempt, release: ReleaseName, object?: ObjectRef): string => {
  if (attempt === 'namespace delete')
    return `deletion of namespace ${showName(object?.name ?? release.namespace)} refused`;
  if (attempt === 'record edit') return `edit of a record of ${showRelease(release)} refused`;
  if (attempt === 'record delete') return `deletion of a record of ${showRelease(release)} refused`;
  return `${DONE_TO_OBJECT[attempt] ?? attempt} of ${object ? showObject(object) : showRelease(release)} refused`;
};

/** Helm goes on after its first write was refused, and this is what its user gets to read. */
export const HOOK_OF_UNINSTALL = 'it is a hook of an uninstall, and no uninstall by this user was admitted';

/** `upgrade to revision 3 by alice` */
export const showInFlight = ({ operation, revision, holder }: InFlight): string =>
  operation === 'uninstall'
    ? `uninstall of revision ${revision} by ${showHolder(holder)}`
    : `${operation} to revision ${revision} by ${showHolder(holder)}`;

const showHolder = (holder: string | undefined): string =>
  holder === undefined ? 'unknown (it began before Belay was there)' : showName(holder);

/** Revisions of one release in one go: `sh.helm.release.v1.web.v1, v2, v3`. */
export const showNames = (names: readonly string[]): string =>
  names
    .map((name, index) => {
      const revision = /^(.*\.)(v\d+)$/.exec(name);
      const sameRelease = revision?.[1] !== undefined && names[0]?.startsWith(revision[1]);
      return index > 0 && sameRelease ? revision?.[2] : showName(name);
    })
    .join(', ');
