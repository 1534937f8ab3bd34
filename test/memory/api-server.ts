import type { Api, ApiRequest, WatchEvent, WatchRequest } from '../../src/kubernetes/api.ts';
import { ApiError } from '../../src/kubernetes/api.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { readList } from '../../src/kubernetes/read-list.ts';
import type { Access } from './access.ts';
import { type Admission, admitsAll, type Caller } from './admission.ts';
import { applyTo, namedFields } from './apply.ts';
import type { Clock } from './clock.ts';
import { jsonPatch, mergeByKey, mergePatch } from './merge.ts';
import { metadataOnly, wantsMetadata } from './metadata-only.ts';
import { type Place, placeOf, resourcesServedAt } from './resources.ts';
import { scaleOf, withReplicas } from './scale.ts';
import { matchesFields, matchesLabels } from './selector.ts';
import { badRequest, noSuchKind, notFound, StatusError } from './status.ts';
import { type Change, createStore } from './store.ts';
import { createWatches } from './watches.ts';
import { createWrites, type Preconditions, type WriteOptions } from './writes.ts';

export type WireRequest = Omit<ApiRequest, 'signal' | 'repeatable' | 'list'>;

/** What comes back over the wire. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly warnings: readonly string[];
}

/** An API server in the memory of this process, over one store with one resourceVersion. It answers what the real one was recorded to. */
export interface ApiServer {
  /** Never rejects: a refusal is an answer. */
  answer(caller: Caller, request: WireRequest): Promise<Answer>;
  watch(request: WatchRequest): AsyncIterable<WatchEvent>;
  /** What a program of that caller asks it through. */
  apiOf(caller: Caller): Api;
  /** Puts these webhooks in front of the store from now on. */
  admitBy(admission: Admission): void;
  /** Answers 403 to the requests that this is true of, from now on. */
  forbid(isForbidden: (caller: Caller, request: WireRequest) => boolean): void;
  /** Tells this listener of every change from now on, at the moment in which it is stored. */
  onChange(listener: (change: Change) => void): void;
  /** Ends all watches, and forgets what happened so far: whoever resumes is told 410. */
  cutWatches(): void;
  /** Resolves when every watch has told all that has happened, and every request of these callers is answered. */
  settled(): Promise<void>;
}

const SUBJECT_ACCESS_REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

async function* bytesOf(body: unknown): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(body));
}

interface ListBody {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubernetesObject[];
}

export const createApiServer = (clock: Clock, access: Access): ApiServer => {
  const store = createStore();
  const watches = createWatches(store);
  let admission = admitsAll;
  let isForbidden: (caller: Caller, request: WireRequest) => boolean = () => false;
  let running = 0;
  const writes = createWrites(
    store,
    {
      mutate: (attempt, after, warn) => admission.mutate(attempt, after, warn),
      validate: (attempt, warn) => admission.validate(attempt, warn),
    },
    clock,
  );

  const read = (place: Place, { accept }: WireRequest): KubernetesObject => {
    const found = store.get(place.resource, place.namespace, place.name);
    if (found === undefined) throw notFound(place);
    if (place.subResource === 'scale') return scaleOf(found);
    return wantsMetadata(accept, 'object') ? metadataOnly(found) : found;
  };

  const list = (place: Place, { query = {}, accept }: WireRequest): ListBody => {
    const found = store
      .list(place.resource, place.namespace)
      .filter((object) => matchesLabels(object, textOf(query.labelSelector)))
      .filter((object) => matchesFields(object, textOf(query.fieldSelector)));
    const from = Number(query.continue ?? 0);
    const until = query.limit === undefined ? found.length : from + Number(query.limit);
    const isPartial = wantsMetadata(accept, 'list');
    return {
      kind: isPartial ? 'PartialObjectMetadataList' : `${place.resource.kind}List`,
      apiVersion: isPartial ? 'meta.k8s.io/v1' : place.resource.group === '' ? 'v1' : apiVersion(place),
      metadata: {
        resourceVersion: String(store.version()),
        ...(until < found.length && { continue: String(until) }),
      },
      items: found.slice(from, until).map((object) => (isPartial ? metadataOnly(object) : bare(object))),
    };
  };

  const scale = async (place: Place, request: WireRequest, options: WriteOptions): Promise<KubernetesObject> => {
    const stored = await writes.update(
      place,
      (parent) => {
        const wanted = request.method === 'PUT' ? request.body : mergePatch(scaleOf(parent), request.body);
        const scaled = wanted as KubernetesObject;
        const { resourceVersion } = scaled.metadata ?? {};
        const asked = request.method === 'PUT' && resourceVersion !== undefined ? { resourceVersion } : {};
        return withReplicas({ ...parent, metadata: { ...withoutVersion(parent), ...asked } }, scaled);
      },
      options,
    );
    return scaleOf(stored);
  };

  const put = (place: Place, body: KubernetesObject, options: WriteOptions): Promise<KubernetesObject> =>
    writes.update(
      place,
      (stored) =>
        place.subResource === 'status'
          ? { ...stored, metadata: { ...stored.metadata, ...versionOf(body) }, status: body.status }
          : { ...body, ...(stored.status !== undefined && { status: stored.status }) },
      options,
    );

  const patch = (place: Place, request: WireRequest, options: WriteOptions): Promise<KubernetesObject> => {
    const { contentType = '', body, query = {} } = request;
    if (contentType.startsWith('application/apply-patch')) {
      const applied = body as KubernetesObject;
      const asApply = { ...options, applied: namedFields(applied) };
      if (store.get(place.resource, place.namespace, place.name) === undefined) {
        return writes.create(place, applied, asApply);
      }
      const manager = options.fieldManager ?? '';
      const force = String(query.force) === 'true';
      return writes.update(
        place,
        (stored) => unversioned(applyTo(stored, applied, { manager, force }), applied),
        asApply,
      );
    }
    const edit = (stored: KubernetesObject): KubernetesObject => {
      if (contentType.startsWith('application/json-patch')) {
        return unversioned(jsonPatch(stored, body as Parameters<typeof jsonPatch>[1]), {});
      }
      const isMerge = contentType.startsWith('application/merge-patch');
      const edited = (isMerge ? mergePatch(stored, body) : mergeByKey(stored, body)) as KubernetesObject;
      return unversioned(edited, body as KubernetesObject);
    };
    return writes.update(place, edit, options);
  };

  const removeAll = async (place: Place, request: WireRequest, options: WriteOptions): Promise<unknown> => {
    const { metadata: listed, items } = list(place, request);
    for (const { metadata } of items) {
      const each = { ...place, namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' };
      await writes.remove(each, '', {}, options);
    }
    return { kind: `${place.resource.kind}List`, apiVersion: apiVersion(place), metadata: listed, items };
  };

  const write = async (place: Place, request: WireRequest, options: WriteOptions): Promise<unknown> => {
    const { body } = request;
    if (place.subResource === 'scale') return scale(place, request, options);
    switch (request.method) {
      case 'POST':
        return writes.create(place, structuredClone(body) as KubernetesObject, options);
      case 'PUT':
        return put(place, structuredClone(body) as KubernetesObject, options);
      case 'PATCH':
        return patch(place, { ...request, body: structuredClone(body) }, options);
      case 'DELETE':
        return place.name === ''
          ? removeAll(place, request, options)
          : writes.remove(place, place.name, preconditionsOf(body), options);
      default:
        throw badRequest(`there is no method ${request.method}`);
    }
  };

  const isNew = ({ resource, namespace, name }: Place): boolean => store.get(resource, namespace, name) === undefined;

  const perform = async (
    caller: Caller,
    request: WireRequest,
    warn: (text: string) => void,
  ): Promise<{ readonly status: number; readonly body: unknown }> => {
    const { method = 'GET', path, query = {} } = request;
    if (isForbidden(caller, request)) {
      throw new StatusError(
        403,
        'Forbidden',
        `${path} is forbidden: User "${caller.user.username}" may not ${method} it`,
      );
    }
    if (path === SUBJECT_ACCESS_REVIEWS) return { status: 201, body: access.review(request.body) };
    const served = resourcesServedAt(path);
    if (method === 'GET' && served.length > 0)
      return { status: 200, body: { kind: 'APIResourceList', resources: served } };
    const place = placeOf(path);
    if (place === undefined) throw noSuchKind();
    if (method === 'GET' && place.name === '' && request.accept?.includes('as=Table') === true)
      return { status: 200, body: tableOf(list(place, { ...request, accept: 'application/json' })) };
    if (method === 'GET') return { status: 200, body: place.name === '' ? list(place, request) : read(place, request) };
    const status = method === 'POST' || (method === 'PATCH' && isNew(place)) ? 201 : 200;
    const deleteOptions =
      method === 'DELETE' ? (request.body as { dryRun?: readonly string[] } | undefined) : undefined;
    const dryRun = query.dryRun === 'All' || deleteOptions?.dryRun?.includes('All') === true;
    const options = { caller, dryRun, fieldManager: textOf(query.fieldManager), warn };
    return { status, body: await write(place, request, options) };
  };

  const answer: ApiServer['answer'] = async (caller, request) => {
    const warnings: string[] = [];
    running += 1;
    try {
      return { ...(await perform(caller, request, (text) => warnings.push(text))), warnings };
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return { status: error.status, body: error.toBody(), warnings };
    } finally {
      running -= 1;
    }
  };

  return {
    answer,
    watch: watches.open,
    apiOf: (caller) => ({
      request: async <T>({ signal, repeatable: _repeatable, list: reading, ...request }: ApiRequest): Promise<T> => {
        signal?.throwIfAborted();
        const { status, body } = await answer(caller, request);
        const { reason = '', message = '' } = body as { reason?: string; message?: string };
        if (status >= 400) throw new ApiError(status, reason, message);
        return (reading === undefined ? structuredClone(body) : await readList(bytesOf(body), reading)) as T;
      },
      watch: watches.open,
    }),
    admitBy: (wanted) => {
      admission = wanted;
    },
    forbid: (wanted) => {
      isForbidden = wanted;
    },
    onChange: (listener) => {
      store.onChange(listener);
    },
    cutWatches: () => {
      store.compact();
      watches.cut();
    },
    settled: async () => {
      // Whatever is under way goes on in microtasks, for nothing here waits for anything else.
      while (running > 0 || !watches.areQuiet()) await new Promise((resolve) => setImmediate(resolve));
    },
  };
};

/** As much of a table as is read of autoscalers: names, and what they target (k8s.io/kubernetes pkg/printers/internalversion/printers.go). */
const tableOf = ({ metadata, items }: ListBody): object => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
  columnDefinitions: [{ name: 'Name' }, { name: 'Reference' }],
  rows: items.map((item) => {
    const { scaleTargetRef } = (item.spec ?? {}) as { scaleTargetRef?: { kind: string; name: string } };
    return { cells: [item.metadata?.name, `${scaleTargetRef?.kind}/${scaleTargetRef?.name}`] };
  }),
});

const textOf = (value: string | number | undefined): string | undefined =>
  value === undefined ? undefined : String(value);

const apiVersion = ({ resource: { group, version } }: Place): string =>
  group === '' ? version : `${group}/${version}`;

/** In a list the items say neither kind nor version. */
const bare = ({ kind: _kind, apiVersion: _apiVersion, ...object }: KubernetesObject): KubernetesObject => object;

const versionOf = ({ metadata }: KubernetesObject): { resourceVersion?: string } =>
  metadata?.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion };

const withoutVersion = ({ metadata = {} }: KubernetesObject): object => {
  const { resourceVersion: _version, ...rest } = metadata;
  return rest;
};

/** A patch asks for a version only where it names one. */
const unversioned = (edited: KubernetesObject, patch: KubernetesObject): KubernetesObject => ({
  ...edited,
  metadata: { ...withoutVersion(edited), ...versionOf(patch) },
});

const preconditionsOf = (body: unknown): Preconditions =>
  (body as { preconditions?: Preconditions } | undefined)?.preconditions ?? {};
