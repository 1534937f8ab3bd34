import { randomUUID } from 'node:crypto';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Admission, Attempt, Caller } from './admission.ts';
import type { Clock } from './clock.ts';
import type { Fields } from './fields.ts';
import { manageFields } from './managed-fields.ts';
import { finalizersOf, prepareEdited, prepareNew } from './prepare-object.ts';
import { NAMESPACES, type Place } from './resources.ts';
import { alreadyExists, conflict, failedPrecondition, notFound, StatusError, terminating } from './status.ts';
import type { Store } from './store.ts';
import { validateObject } from './validate-object.ts';

/** What a write brings along beside its object. */
export interface WriteOptions {
  readonly caller: Caller;
  readonly dryRun: boolean;
  readonly fieldManager: string | undefined;
  readonly warn: (text: string) => void;
  /** The fields that a server-side apply names; undefined for every other write. */
  readonly applied?: Fields;
}

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface Writes {
  create(place: Place, object: KubernetesObject, options: WriteOptions): Promise<KubernetesObject>;
  /** `edit` makes the new object of the stored one. */
  update(
    place: Place,
    edit: (stored: KubernetesObject) => KubernetesObject,
    options: WriteOptions,
  ): Promise<KubernetesObject>;
  /** `requestName` is empty where a collection is deleted. */
  /** Gives back the object where it stays for the time being, and `DELETED` where it is gone. */
  remove(
    place: Place,
    requestName: string,
    preconditions: Preconditions,
    options: WriteOptions,
  ): Promise<KubernetesObject>;
}

const DELETED: KubernetesObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };

/** The writes of the API server in memory, in the order of the real one: mutate, compare versions, validate, store. */
export const createWrites = (store: Store, admission: Admission, clock: Clock): Writes => {
  const withManagers = (
    before: KubernetesObject | undefined,
    after: KubernetesObject,
    { caller, fieldManager, applied }: WriteOptions,
    subResource = '',
  ): KubernetesObject => {
    const writer = {
      manager: fieldManager ?? caller.manager,
      operation: applied === undefined ? ('Update' as const) : ('Apply' as const),
      ...(subResource !== '' && { subResource }),
      time: clock.time(),
    };
    const managedFields = manageFields(before, after, writer, applied);
    const { managedFields: _sent, ...metadata } = after.metadata ?? {};
    return { ...after, metadata: { ...metadata, ...(managedFields.length > 0 && { managedFields }) } };
  };

  const checkNamespace = (place: Place, name: string): void => {
    const { resource, namespace } = place;
    if (!resource.namespaced) return;
    const found = store.get(NAMESPACES, '', namespace);
    if (found === undefined) throw new StatusError(404, 'NotFound', `namespaces "${namespace}" not found`);
    if (found.metadata?.deletionTimestamp !== undefined) throw terminating(place, name);
  };

  return {
    create: async (place, object, options) => {
      const { resource, namespace } = place;
      const { name = '', generateName = '' } = object.metadata ?? {};
      const begun = withManagers(undefined, prepareNew(place, object, clock.time()), options);
      checkNamespace(place, name);
      const attempt = { ...attemptOf('CREATE', place, options), requestName: name, before: undefined };
      const mutated = await admission.mutate({ ...attempt, after: begun }, begun, options.warn);
      const stored = name === '' ? `${generateName}${randomUUID().slice(0, 5)}` : name;
      const after = { ...mutated, metadata: { ...mutated.metadata, name: stored } };
      validateObject(place, after);
      await admission.validate({ ...attempt, after }, options.warn);
      if (store.get(resource, namespace, stored) !== undefined) throw alreadyExists(place, stored);
      return options.dryRun ? after : store.put(resource, after, usernameOf(options));
    },

    async update(place, edit, options) {
      const { resource, namespace, name, subResource } = place;
      const before = store.get(resource, namespace, name);
      if (before === undefined) throw notFound(place);
      const edited = edit(before);
      const asked = edited.metadata?.resourceVersion ?? '';
      const begun = withManagers(before, prepareEdited(resource, before, edited), options, subResource);
      const attempt = { ...attemptOf('UPDATE', place, options), before };
      const after = await admission.mutate({ ...attempt, after: begun }, begun, options.warn);
      if (asked !== '' && asked !== before.metadata?.resourceVersion) throw conflict(place);
      validateObject(place, after);
      await admission.validate({ ...attempt, after }, options.warn);
      // Somebody wrote in between: the real one begins anew where no version was asked for, and refuses where one was.
      if (store.get(resource, namespace, name) !== before) return this.update(place, edit, options);
      if (options.dryRun) return after;
      const isLast = before.metadata?.deletionTimestamp !== undefined && finalizersOf(after).length === 0;
      if (isLast && resource !== NAMESPACES) {
        store.remove(resource, after, usernameOf(options));
        return after;
      }
      return isSame(before, after) ? before : store.put(resource, after, usernameOf(options));
    },

    remove: async (place, requestName, { uid, resourceVersion }, options) => {
      const { resource, namespace, name } = place;
      const before = store.get(resource, namespace, name);
      if (before === undefined) throw notFound(place);
      const { metadata = {} } = before;
      for (const [what, asked, is] of [
        ['UID', uid, metadata.uid],
        ['ResourceVersion', resourceVersion, metadata.resourceVersion],
      ] as const) {
        if (asked !== undefined && asked !== is) throw failedPrecondition(place, what, asked, is ?? '');
      }
      const attempt = { ...attemptOf('DELETE', place, options), requestName, before, after: undefined };
      await admission.validate(attempt, options.warn);
      const isHeld = resource === NAMESPACES || finalizersOf(before).length > 0;
      const doomed = { ...before, metadata: { ...metadata, deletionTimestamp: clock.time() } };
      if (options.dryRun) return isHeld ? doomed : DELETED;
      if (isHeld) return store.put(resource, doomed, usernameOf(options));
      store.remove(resource, before, usernameOf(options));
      return DELETED;
    },
  };
};

const usernameOf = ({ caller }: WriteOptions): string => caller.user.username;

const attemptOf = (
  operation: Attempt['operation'],
  place: Place,
  { caller, dryRun }: WriteOptions,
): Omit<Attempt, 'before' | 'after'> => ({ operation, place, requestName: place.name, caller, dryRun });

/** A write that changes nothing leaves the resourceVersion as it was. */
const isSame = (before: KubernetesObject, after: KubernetesObject): boolean => {
  const bare = ({ metadata: { managedFields: _managed, ...metadata } = {}, ...rest }: KubernetesObject): string =>
    JSON.stringify([Object.entries(rest).sort(), Object.entries(metadata).sort()]);
  return bare(before) === bare(after);
};
