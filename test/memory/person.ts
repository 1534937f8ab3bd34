import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Caller } from './admission.ts';
import type { ApiServer, WireRequest } from './api-server.ts';
import type { Values } from './chart.ts';
import type { Clock } from './clock.ts';
import {
  type InstallOptions,
  install,
  rollback,
  type Steps,
  test,
  type UpgradeOptions,
  uninstall,
  upgrade,
} from './helm.ts';
import { createHelmClient, type HelmClient, HelmError, type OwnerReference } from './helm-client.ts';
import { type EndsOfNelm, uninstallByNelm, upgradeByNelm } from './nelm.ts';
import type { RecordKind } from './record.ts';
import { pathOfObject, type Resource, resourceOfKind } from './resources.ts';

/** How something ended, as a terminal would tell it. */
export interface Outcome {
  readonly ok: boolean;
  readonly said: string;
  readonly object: KubernetesObject | undefined;
}

/** A Helm that waits at its hook, with its record pending. */
export interface Started {
  /** Goes on to the end. Never called, it is a Helm that was killed. */
  finish(): Promise<Outcome>;
  /** How it ended, where it did not come as far as its hook. */
  readonly ended: Outcome | undefined;
}

/** Which command it is, such as `(helm) => helm.upgrade('web')`. */
export type Operation = (helm: HelmCommands<Steps>) => Steps;

export interface HelmCommands<Result> {
  install(release: string, values?: Values, options?: InstallOptions): Result;
  upgrade(release: string, values?: Values, options?: UpgradeOptions): Result;
  rollback(release: string, to?: number, historyMax?: number): Result;
  uninstall(release: string, keepHistory?: boolean): Result;
  test(release: string): Result;
}

export interface Helm extends HelmCommands<Promise<Outcome>> {
  /** Runs an operation as far as its hook. */
  start(operation: Operation): Promise<Started>;
}

/** nelm, which writes records as Helm does, but in another order at the end. */
export interface Nelm {
  upgrade(release: string, values?: Values, ends?: EndsOfNelm): Promise<Outcome>;
  uninstall(release: string): Promise<Outcome>;
  /** The upgrade, step by step: it stops after its first record, and between its two last writes. */
  steps(release: string, values: Values, ends: EndsOfNelm): Steps;
}

/** `deployment/web`, or a list of all: `secret`. */
export type ObjectName = string;

/** One user, with kubectl and Helm. */
export interface Person {
  readonly helm: Helm;
  readonly helm3: Helm;
  /** Helm 4 with its records in ConfigMaps. */
  readonly helmInConfigMaps: Helm;
  readonly nelm: Nelm;
  /** Helm 3 as helm-operator embeds it: every record that it writes is owned by its custom resource. */
  operator(owner: OwnerReference): Helm;
  request(request: WireRequest): Promise<Outcome>;
  create(object: KubernetesObject, query?: WireRequest['query']): Promise<Outcome>;
  replace(object: KubernetesObject): Promise<Outcome>;
  /** A merge patch, unless it is a list: that is a JSON patch. */
  patch(name: ObjectName, patch: object, query?: WireRequest['query']): Promise<Outcome>;
  apply(object: KubernetesObject, query?: WireRequest['query']): Promise<Outcome>;
  delete(name: ObjectName, query?: WireRequest['query']): Promise<Outcome>;
  deleteAll(resource: string, labelSelector?: string): Promise<Outcome>;
  scale(name: ObjectName, replicas: number): Promise<Outcome>;
  annotate(name: ObjectName, annotations: Readonly<Record<string, string | null>>): Promise<Outcome>;
  get(name: ObjectName): Promise<KubernetesObject>;
}

const RESOURCES: Readonly<Record<string, Resource>> = {
  namespace: resourceOfKind('v1', 'Namespace'),
  secret: resourceOfKind('v1', 'Secret'),
  configmap: resourceOfKind('v1', 'ConfigMap'),
  service: resourceOfKind('v1', 'Service'),
  deployment: resourceOfKind('apps/v1', 'Deployment'),
  statefulset: resourceOfKind('apps/v1', 'StatefulSet'),
  widget: resourceOfKind('belay.dev.test/v1', 'Widget'),
  clusterrole: resourceOfKind('rbac.authorization.k8s.io/v1', 'ClusterRole'),
  lease: resourceOfKind('coordination.k8s.io/v1', 'Lease'),
  job: resourceOfKind('batch/v1', 'Job'),
  policy: resourceOfKind('belay.dev/v1alpha1', 'ReleasePolicy'),
};

export interface PersonOptions {
  readonly server: ApiServer;
  readonly clock: Clock;
  readonly namespace: string;
  readonly caller: Caller;
}

export const createPerson = ({ server, clock, namespace, caller }: PersonOptions): Person => {
  const locate = (name: ObjectName): string => {
    const [kind = '', object = ''] = name.split('/');
    const resource = RESOURCES[kind];
    if (resource === undefined) throw new Error(`the plane in memory has no short name for ${kind}`);
    return pathOfObject(resource, namespace, object);
  };
  const pathTo = (object: KubernetesObject, name?: string): string =>
    pathOfObject(
      resourceOfKind(object.apiVersion ?? '', object.kind ?? ''),
      object.metadata?.namespace ?? namespace,
      name,
    );

  const request = async (wanted: WireRequest): Promise<Outcome> => {
    const { status, body, warnings } = await server.answer(caller, wanted);
    await server.settled();
    const ok = status < 400;
    const message = ok ? '' : (body as { message: string }).message;
    return { ok, said: [...warnings, message].join('\n'), object: ok ? (body as KubernetesObject) : undefined };
  };

  const clientOf = (version: 'helm3' | 'helm4', driver: RecordKind, owner?: OwnerReference): HelmClient =>
    createHelmClient({ server, clock, namespace, version, driver, owner, caller: { ...caller, manager: 'Helm' } });
  const run = async (steps: Steps): Promise<Outcome> => {
    try {
      for await (const _hook of steps);
      return { ok: true, said: '', object: undefined };
    } catch (error) {
      if (!(error instanceof HelmError)) throw error;
      return { ok: false, said: error.message, object: undefined };
    }
  };
  const helmOf = (client: HelmClient): Helm => {
    const commands: HelmCommands<Steps> = {
      install: (release, values = {}, options = {}) => install(client, release, values, options),
      upgrade: (release, values = {}, options = {}) => upgrade(client, release, values, options),
      rollback: (release, to, historyMax) => rollback(client, release, to, historyMax),
      uninstall: (release, keepHistory = false) => uninstall(client, release, keepHistory),
      test: (release) => test(client, release),
    };
    return {
      install: (...args) => run(commands.install(...args)),
      upgrade: (...args) => run(commands.upgrade(...args)),
      rollback: (...args) => run(commands.rollback(...args)),
      uninstall: (...args) => run(commands.uninstall(...args)),
      test: (...args) => run(commands.test(...args)),
      start: async (operation) => {
        const steps = operation(commands);
        const first = await steps.next().catch((error: Error) => error);
        if (first instanceof HelmError) {
          const ended: Outcome = { ok: false, said: first.message, object: undefined };
          return { ended, finish: async () => ended };
        }
        if (first instanceof Error) throw first;
        return { ended: undefined, finish: () => run(steps) };
      },
    };
  };

  return {
    helm: helmOf(clientOf('helm4', 'Secret')),
    helm3: helmOf(clientOf('helm3', 'Secret')),
    helmInConfigMaps: helmOf(clientOf('helm4', 'ConfigMap')),
    operator: (owner) => helmOf(clientOf('helm3', 'Secret', owner)),
    nelm: {
      upgrade: (release, values = {}, ends = 'together') =>
        run(upgradeByNelm(clientOf('helm4', 'Secret'), release, values, ends)),
      steps: (release, values, ends) => upgradeByNelm(clientOf('helm4', 'Secret'), release, values, ends),
      uninstall: (release) => run(uninstallByNelm(clientOf('helm4', 'Secret'), release)),
    },
    request,
    create: (object, query = {}) => request({ method: 'POST', path: pathTo(object), query, body: object }),
    replace: (object) => request({ method: 'PUT', path: pathTo(object, object.metadata?.name), body: object }),
    patch: (name, patch, query = {}) => {
      const contentType = Array.isArray(patch) ? 'application/json-patch+json' : 'application/merge-patch+json';
      return request({ method: 'PATCH', path: locate(name), query, contentType, body: patch });
    },
    apply: (object, query = {}) => {
      const contentType = 'application/apply-patch+yaml';
      const named = { fieldManager: 'kubectl', ...query };
      return request({
        method: 'PATCH',
        path: pathTo(object, object.metadata?.name),
        query: named,
        contentType,
        body: object,
      });
    },
    delete: (name, query = {}) => request({ method: 'DELETE', path: locate(name), query }),
    deleteAll: (resource, labelSelector) =>
      request({ method: 'DELETE', path: locate(resource), query: { labelSelector } }),
    scale: (name, replicas) =>
      request({
        method: 'PATCH',
        path: `${locate(name)}/scale`,
        contentType: 'application/merge-patch+json',
        body: { spec: { replicas } },
      }),
    annotate: (name, annotations) =>
      request({
        method: 'PATCH',
        path: locate(name),
        contentType: 'application/merge-patch+json',
        body: { metadata: { annotations } },
      }),
    get: async (name) => {
      const { object, said } = await request({ path: locate(name) });
      if (object === undefined) throw new Error(said);
      return structuredClone(object);
    },
  };
};
