import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { createAccess } from './access.ts';
import { admitsAll } from './admission.ts';
import { type ApiServer, createApiServer } from './api-server.ts';
import { createMemoryBelay, type MemoryBelay } from './belay.ts';
import { type Clock, createClock } from './clock.ts';
import { createPerson, type Helm, type Person } from './person.ts';
import { resourceOfKind } from './resources.ts';
import { reviewOf } from './review-of.ts';
import { type Asked, createWebhookAdmission } from './webhook-admission.ts';

export interface MemoryPlaneOptions {
  readonly staleAfterMs?: number;
  /** The namespace that everybody works in. */
  readonly namespace?: string;
}

/** A control plane with Belay in the memory of this process: the API server, two Helms and as many people as a test wants. */
export interface MemoryPlane {
  readonly clock: Clock;
  readonly server: ApiServer;
  readonly belay: MemoryBelay;
  readonly namespace: string;
  /** `ci`, who may edit. */
  readonly helm: Helm;
  /** May do everything. */
  readonly admin: Person;
  /** Somebody with the built-in role `edit` in the namespace, unless another is named. */
  as(username: string, role?: 'edit' | 'admin' | 'none', groups?: readonly string[]): Person;
  /** Somebody in another namespace, which is made if it is not there. */
  inNamespace(namespace: string, username: string, role?: 'edit' | 'admin' | 'none'): Promise<Person>;
  /** Gives a user rights on one release alone. */
  grant(username: string, verbs: readonly string[], release: string): void;
  /** Puts a policy in force; null ends it. */
  policy(spec: object | null, name?: string): Promise<void>;
  freeze(release: string, reason?: string): Promise<void>;
  /** `v1 superseded, v2 deployed` */
  history(release: string): Promise<string>;
  /** The locks of each revision, the oldest first. */
  locks(release: string): Promise<readonly Readonly<Record<string, string>>[]>;
  /** All that is stored but Events, by kind and name, to compare with later. */
  state(): Promise<Readonly<Record<string, string>>>;
  events(): Promise<readonly StoredEvent[]>;
  /** Takes the webhooks away, as while Belay is not there. */
  unguard(): void;
  /** Puts them back. */
  guard(): void;
  /** Asks Belay about the creation of an object that is then not stored. */
  admit(username: string, object: KubernetesObject): Promise<Pick<Asked, 'response'>>;
  /** What Belay was asked and answered, the newest last. */
  readonly asked: readonly Asked[];
  stop(): Promise<void>;
}

export interface StoredEvent extends KubernetesObject {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
  readonly count: number;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

const LEASES = '/apis/coordination.k8s.io/v1/leases';
const STATE = [
  ...['namespaces', 'secrets', 'configmaps', 'services'].map((resource) => `/api/v1/${resource}`),
  ...['/apis/apps/v1/deployments', '/apis/batch/v1/jobs', LEASES],
];

const ADMIN = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

export const memoryPlane = async (options: MemoryPlaneOptions = {}): Promise<MemoryPlane> => {
  const { staleAfterMs = 600_000, namespace = 'shop' } = options;
  const clock = createClock();
  const access = createAccess();
  const server = createApiServer(clock, access);
  const belay = createMemoryBelay(server, clock, staleAfterMs);
  const asked: Asked[] = [];
  const webhooks = createWebhookAdmission(belay, (each) => asked.push(each));
  server.admitBy(webhooks);
  await belay.ready();

  const bound = new Set<string>();
  const bind = (username: string, role: 'edit' | 'admin' | 'none', to: string): void => {
    const key = JSON.stringify([username, role, to]);
    if (role === 'none' || bound.has(key)) return;
    bound.add(key);
    access.bind(username, role, to);
  };
  const personIn = (place: string, username: string, groups: readonly string[] = []): Person =>
    createPerson({
      server,
      clock,
      namespace: place,
      caller: { user: { username, groups: [...groups, 'system:authenticated'] }, manager: 'kubectl' },
    });
  const admin = createPerson({ server, clock, namespace, caller: { user: ADMIN, manager: 'kubectl' } });
  const makeNamespace = async (name: string): Promise<void> => {
    await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  };
  await makeNamespace(namespace);

  const items = async (path: string, query = {}): Promise<readonly KubernetesObject[]> => {
    const { object } = await admin.request({ path, query });
    return (object as unknown as { items: readonly KubernetesObject[] }).items;
  };
  const records = async (release: string): Promise<readonly KubernetesObject[]> => {
    const query = { labelSelector: `owner=helm,name=${release}` };
    const kinds = (['Secret', 'ConfigMap'] as const).map(async (kind) => {
      const found = await items(`/api/v1/namespaces/${namespace}/${kind.toLowerCase()}s`, query);
      return found.map((object) => ({ kind, ...object }));
    });
    const revision = ({ metadata }: KubernetesObject): number => Number(metadata?.labels?.version);
    return (await Promise.all(kinds)).flat().sort((a, b) => revision(a) - revision(b));
  };
  const as: MemoryPlane['as'] = (username, role = 'edit', groups = []) => {
    bind(username, role, namespace);
    return personIn(namespace, username, groups);
  };

  return {
    clock,
    server,
    belay,
    namespace,
    asked,
    admin,
    helm: as('ci').helm,
    as,
    inNamespace: async (other, username, role = 'edit') => {
      await makeNamespace(other);
      bind(username, role, other);
      return personIn(other, username);
    },
    unguard: () => server.admitBy(admitsAll),
    guard: () => server.admitBy(webhooks),
    admit: async (username, after) => {
      const { name = '' } = after.metadata ?? {};
      const resource = resourceOfKind(after.apiVersion ?? '', after.kind ?? '');
      const review = reviewOf({
        operation: 'CREATE',
        place: { resource, namespace, name, subResource: '' },
        requestName: name,
        caller: { user: { username, groups: [] }, manager: 'Helm' },
        dryRun: false,
        before: undefined,
        after,
      });
      const response = await belay.ask('/validate', review);
      await server.settled();
      return { response };
    },
    grant: (username, verbs, release) => access.grant(username, verbs, namespace, release),
    policy: async (spec, name = 'house') => {
      const object = { apiVersion: 'belay.dev/v1alpha1', kind: 'ReleasePolicy', metadata: { name }, spec };
      const { ok, said } =
        spec === null ? await admin.delete(`policy/${name}`) : await admin.apply(object as KubernetesObject);
      if (!ok) throw new Error(said);
    },
    freeze: async (release, reason = 'audit week') => {
      for (const { kind, metadata } of await records(release)) {
        const name = `${kind?.toLowerCase()}/${metadata?.name}`;
        const { ok, said } = await as('dev').annotate(name, { 'belay.dev/freeze': reason });
        if (!ok) throw new Error(said);
      }
    },
    history: async (release) =>
      (await records(release))
        .map(({ metadata }) => `v${metadata?.labels?.version} ${metadata?.labels?.status}`)
        .join(', '),
    locks: async (release) =>
      (await records(release)).map(({ metadata }) =>
        Object.fromEntries(Object.entries(metadata?.annotations ?? {}).filter(([key]) => key.startsWith('belay.dev/'))),
      ),
    state: async () => {
      const lists = await Promise.all(STATE.map(async (path) => [path, await items(path)] as const));
      const named = lists.flatMap(([path, objects]) =>
        objects.map((object) => {
          const { namespace: place = '', name = '' } = object.metadata ?? {};
          return [
            `${path} ${place}/${name}`,
            JSON.stringify(path === LEASES ? withoutRenewal(object) : object),
          ] as const;
        }),
      );
      return Object.fromEntries(named);
    },
    events: async () => (await items('/api/v1/events')) as readonly StoredEvent[],
    stop: () => belay.stop(),
  };
};

/** A holder is heard of at every write that is asked about, be it refused in the end; the refusal of its uninstall is noted. */
const withoutRenewal = ({ metadata = {}, spec, ...rest }: KubernetesObject): object => {
  const { resourceVersion: _version, managedFields: _managed, annotations, ...kept } = metadata;
  const { 'belay.dev/uninstall-refused': _note, ...ofClaim } = annotations ?? {};
  return {
    ...rest,
    metadata: { ...kept, annotations: ofClaim },
    spec: { ...(spec as object | undefined), renewTime: undefined },
  };
};
