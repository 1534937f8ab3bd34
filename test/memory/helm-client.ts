import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Caller } from './admission.ts';
import type { Answer, ApiServer, WireRequest } from './api-server.ts';
import { type Chart, type Values, withMarks } from './chart.ts';
import type { Clock } from './clock.ts';
import { isObject } from './fields.ts';
import { mergeByKey } from './merge.ts';
import { type Payload, payloadIn, type RecordKind, recordName, toRecordObject } from './record.ts';
import { pathOfObject, resourceOfKind } from './resources.ts';

/** Helm's own words for what went wrong, with what the API server said. */
export class HelmError extends Error {
  override readonly name = 'HelmError';
}

/** A stored revision as Helm reads it. */
export interface Revision {
  readonly revision: number;
  readonly status: string;
  readonly payload: Payload;
  /** The labels that upgrade and rollback carry along. */
  readonly object: KubernetesObject;
}

/** The requests that a Helm makes, one by one. Each rejects with HelmError where the API server refuses. */
export interface HelmClient {
  readonly namespace: string;
  readonly version: 'helm3' | 'helm4';
  now(): string;
  revisions(release: string): Promise<readonly Revision[]>;
  createRecord(payload: Payload): Promise<void>;
  /** Stores the payload under another status. */
  updateRecord(payload: Payload, status: string, info?: Readonly<Record<string, string>>): Promise<Payload>;
  deleteRecord(release: string, revision: number): Promise<void>;
  exists(document: KubernetesObject): Promise<boolean>;
  /** `original` is the document of the revision before. */
  writeObject(document: KubernetesObject, release: string, original?: KubernetesObject): Promise<void>;
  deleteObject(document: KubernetesObject): Promise<void>;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface HelmClientOptions {
  readonly server: ApiServer;
  readonly clock: Clock;
  readonly caller: Caller;
  readonly namespace: string;
  readonly version: 'helm3' | 'helm4';
  readonly driver: RecordKind;
  /** Who owns every record that is written. */
  readonly owner?: OwnerReference | undefined;
}

/** The chart's fields over the live object, as a merge patch; undefined where the live object has them all. */
const patchOf = (live: unknown, wanted: unknown): unknown => {
  const merged = mergeByKey(live, wanted);
  const differ = (before: unknown, after: unknown): unknown => {
    if (JSON.stringify(before) === JSON.stringify(after)) return undefined;
    if (!isObject(before) || !isObject(after)) return after;
    const entries = Object.entries(after).map(([key, value]) => [key, differ(before[key], value)] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  };
  return differ(live, merged);
};

export const createHelmClient = (options: HelmClientOptions): HelmClient => {
  const { server, clock, caller, namespace, version, driver, owner } = options;
  const records = resourceOfKind('v1', driver);
  const seconds = (): string => String(Math.trunc(clock.nowMs() / 1000));

  const owned = (record: KubernetesObject): KubernetesObject =>
    owner === undefined ? record : { ...record, metadata: { ...record.metadata, ownerReferences: [owner] } };

  const send = async (request: WireRequest): Promise<Answer> => {
    const answer = await server.answer(caller, request);
    await server.settled();
    return answer;
  };
  const must = async (request: WireRequest): Promise<Answer> => {
    const answer = await send(request);
    if (answer.status >= 400) throw new HelmError((answer.body as { message: string }).message);
    return answer;
  };
  const placeOf = (document: KubernetesObject): string =>
    pathOfObject(resourceOfKind(document.apiVersion ?? '', document.kind ?? ''), namespace, document.metadata?.name);

  return {
    namespace,
    version,
    now: () => clock.time(),
    revisions: async (release) => {
      const query = { labelSelector: `name=${release},owner=helm` };
      const { body } = await must({ path: pathOfObject(records, namespace), query });
      return (body as { items: readonly KubernetesObject[] }).items
        .map((item) => ({ kind: driver, ...item }))
        .map((object) => {
          const payload = payloadIn(object);
          return { revision: payload.version, status: payload.info.status ?? '', payload, object };
        })
        .sort((a, b) => a.revision - b.revision);
    },
    createRecord: async (payload) => {
      const body = owned(toRecordObject(payload, driver, namespace, { createdAt: seconds() }));
      await must({ method: 'POST', path: pathOfObject(records, namespace), body });
    },
    updateRecord: async (payload, status, info = {}) => {
      const changed = { ...payload, info: { ...payload.info, ...info, status } };
      const body = owned(toRecordObject(changed, driver, namespace, { modifiedAt: seconds() }));
      await must({
        method: 'PUT',
        path: pathOfObject(records, namespace, recordName(payload.name, payload.version)),
        body,
      });
      return changed;
    },
    deleteRecord: async (release, revision) => {
      await must({ method: 'DELETE', path: pathOfObject(records, namespace, recordName(release, revision)) });
    },
    exists: async (document) => (await send({ path: placeOf(document) })).status === 200,
    writeObject: async (document, release, original = document) => {
      const body = withMarks(document, release, namespace);
      const path = placeOf(document);
      const query = { fieldManager: 'helm' };
      if (version === 'helm4') {
        const contentType = 'application/apply-patch+yaml';
        await must({ method: 'PATCH', path, query: { ...query, force: 'false' }, contentType, body });
        return;
      }
      const live = await send({ path });
      if (live.status === 404) {
        await must({ method: 'POST', path: path.slice(0, path.lastIndexOf('/')), query, body });
        return;
      }
      // Where the chart has changed, Helm sends that change even if the live object has it already.
      const isMoved = JSON.stringify(original) !== JSON.stringify(document);
      const patch = patchOf(live.body, body) ?? (isMoved ? document : undefined);
      if (patch === undefined) return;
      await must({ method: 'PATCH', path, query, contentType: 'application/merge-patch+json', body: patch });
    },
    deleteObject: async (document) => {
      const { status, body } = await send({
        method: 'DELETE',
        path: placeOf(document),
        body: { propagationPolicy: 'Background' },
      });
      if (status >= 400 && status !== 404) throw new HelmError((body as { message: string }).message);
    },
  };
};

export const newPayload = (
  client: HelmClient,
  release: string,
  revision: number,
  status: string,
  what: { readonly chart: Chart; readonly config: Values; readonly manifest: string },
): Payload => ({
  name: release,
  namespace: client.namespace,
  version: revision,
  info: {
    first_deployed: client.now(),
    last_deployed: client.now(),
    ...(client.version === 'helm3' && { deleted: '' }),
    description: '',
    status,
  },
  chart: { metadata: what.chart, templates: [], values: {} },
  config: what.config,
  manifest: what.manifest,
  hooks: [{ name: `${release}-test`, kind: 'Job', path: 'shop/templates/hooks.yaml', manifest: '', events: ['test'] }],
});
