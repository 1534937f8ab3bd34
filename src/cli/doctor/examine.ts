import { CERTIFICATES_SECRET } from '../../certificates/secret-name.ts';
import { type Api, ApiError, pathOf } from '../../kubernetes/api.ts';
import { showName } from '../../text/escape.ts';
import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { type Answer, ask, bounded } from './ask.ts';
import type { Certificates, CheckContext, Configuration, List } from './check-context.ts';
import { BELAY_SELECTOR, type Deployment, flagOf } from './workload-objects.ts';

export interface ExamineOptions extends ClusterOptions {
  readonly service?: string;
  readonly probeNamespace?: string;
}

const BASE = { namespace: 'belay-system', service: 'belay', serviceAccount: 'belay' } as const;

/** Most warnings that are kept. A policy with the action Warn adds a few to each write. */
const MAX_WARNINGS = 200;

/** A name as Kubernetes takes it. Other names are ignored, because names go into commands that users paste. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The Service that most webhooks call. A single changed webhook is to be found by the checks, and not to be followed. */
const findService = (
  configurations: readonly Answer<Configuration>[],
): { readonly namespace: string; readonly service: string } | undefined => {
  const called = configurations
    .flatMap((answer) => (answer.state === 'read' ? (answer.value.webhooks ?? []) : []))
    .flatMap(({ clientConfig }) => clientConfig?.service ?? [])
    .filter(({ namespace = '', name = '' }) => NAME.test(namespace) && NAME.test(name))
    .map(({ namespace, name }) => JSON.stringify([namespace, name]));
  const [most] = [...Map.groupBy(called, (key) => key)].sort(([, a], [, b]) => b.length - a.length);
  if (most === undefined) return undefined;
  const [namespace = '', service = ''] = JSON.parse(most[0]) as readonly string[];
  return { namespace, service };
};

/** Reads the version, which every user may do on most clusters. Rejects when the API server does not answer. */
const readVersion = async (api: Api): Promise<{ readonly serverVersion: string; readonly serverLatencyMs: number }> => {
  const startMs = performance.now();
  let serverVersion = '';
  try {
    serverVersion = (await api.request<{ gitVersion?: string }>({ path: '/version' })).gitVersion ?? '';
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
  }
  return { serverVersion, serverLatencyMs: performance.now() - startMs };
};

const certificatesOf = (deployment: Deployment | undefined): Certificates => {
  const secret = flagOf(deployment, '--certificates-secret') ?? '';
  return {
    secret: NAME.test(secret) ? secret : CERTIFICATES_SECRET,
    areOwn: flagOf(deployment, '--certificates') !== 'secret',
    areInjected: flagOf(deployment, '--ca-bundle') !== 'leave',
  };
};

/** Reads once what several checks need. Rejects when there is no cluster to talk to. */
export const examine = async (options: ExamineOptions, invocation: Invocation): Promise<CheckContext> => {
  // Helm passes the namespace of releases to its plugins. It is where writes are tried, and not Belay's own namespace.
  const warnings = new Set<string>();
  const access = await openCluster({ ...options, namespace: undefined }, invocation, process.env, (text) => {
    if (warnings.size < MAX_WARNINGS) warnings.add(text);
  });
  const api = bounded(access.api);
  // The first request opens the connection, whose time must not be part of the measured latency.
  await readVersion(api);
  const configuration = (resource: string): Promise<Answer<Configuration>> =>
    ask<Configuration>(api, { path: pathOf('apis', 'admissionregistration.k8s.io', 'v1', resource, 'belay') });
  const [version, validating, mutating] = await Promise.all([
    readVersion(api),
    configuration('validatingwebhookconfigurations'),
    configuration('mutatingwebhookconfigurations'),
  ]);
  const called = findService([validating, mutating]);
  const namespace = options.namespace ?? called?.namespace ?? BASE.namespace;
  if (options.probeNamespace === namespace)
    throw new Failure(
      `no webhook looks into ${showName(namespace)}, Belay's own namespace: name another one with --probe-namespace`,
      EXIT.usage,
    );
  const service = options.service ?? called?.service ?? BASE.service;
  const deployments = await ask<List<Deployment>>(api, {
    path: pathOf('apis', 'apps', 'v1', 'namespaces', namespace, 'deployments'),
    query: { labelSelector: BELAY_SELECTOR, limit: 10 },
  });
  const [deployment] = deployments.state === 'read' ? (deployments.value.items ?? []) : [];
  const serviceAccount = deployment?.spec?.template?.spec?.serviceAccountName ?? BASE.serviceAccount;
  const wanted = options.probeNamespace ?? access.namespace;
  return {
    api,
    warnings,
    nowMs: Date.now(),
    command: invocation.name,
    place: { namespace, service, serviceAccount },
    // The context of an administrator may name Belay's own namespace.
    probeNamespace: wanted === namespace ? 'default' : wanted,
    ...version,
    validating,
    mutating,
    deployments,
    certificates: certificatesOf(deployment),
  };
};
