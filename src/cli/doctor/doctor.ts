import { CERTIFICATES_SECRET } from '../../certificates/secret-name.ts';
import { type Api, ApiError, pathOf } from '../../kubernetes/api.ts';
import { showName } from '../../text/escape.ts';
import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { type Answer, ask, bounded, describeError } from './ask.ts';
import { checkLeftovers } from './check-leftovers.ts';
import { checkPolicies, checkPolicyKind } from './check-policies.ts';
import { checkOwnRights, checkRights, checkRoles } from './check-rights.ts';
import { checkTrust } from './check-trust.ts';
import { checkApiServer, checkVersions } from './check-versions.ts';
import { checkWebhooks } from './check-webhooks.ts';
import { checkWorkload } from './check-workload.ts';
import type { Finding } from './finding.ts';
import type { Certificates, Configuration, List, Patient } from './patient.ts';
import { proveObjects } from './prove-objects.ts';
import { proveNamespaces, provePolicies } from './prove-others.ts';
import { proveEnforced, proveGuard, proveLetThrough } from './prove-records.ts';
import { type Diagnosis, print } from './report.ts';
import { BELAY_SELECTOR, type Deployment, flagOf } from './workload-objects.ts';

export interface DoctorOptions extends ClusterOptions {
  readonly service?: string;
  readonly probeNamespace?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

/** As `belay drift` has it: 1 is that it could not be told. */
const BROKEN = 2;

const BASE = { namespace: 'belay-system', service: 'belay', serviceAccount: 'belay' } as const;

/** A policy whose action is Warn says a few lines to each write. */
const MAX_WARNINGS = 200;

/** Names go into commands that are made to be pasted: what Kubernetes would not take for one is not followed. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The one that most webhooks call: a single one that was changed is to stand out, not to be followed. */
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

/** Whoever may talk to the API server may ask for its version. Rejects where there is nobody to talk to. */
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

const examine = async (options: DoctorOptions, invocation: Invocation): Promise<Patient> => {
  // Helm hands its own namespace to its plugins, which is that of releases: where to try writes, not where Belay is.
  const warnings = new Set<string>();
  const access = await openCluster({ ...options, namespace: undefined }, invocation, process.env, (text) => {
    if (warnings.size < MAX_WARNINGS) warnings.add(text);
  });
  const api = bounded(access.api);
  // The first request opens the connection: it is not to be measured with the answer.
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
    // Whoever looks after Belay may have its namespace in his context.
    probeNamespace: wanted === namespace ? 'default' : wanted,
    ...version,
    validating,
    mutating,
    deployments,
    certificates: certificatesOf(deployment),
  };
};

type Check = (patient: Patient) => readonly Finding[] | Promise<readonly Finding[]>;

/** What breaks inside of a check says nothing of the cluster, and is not to hide what the others have found. */
const run = async (check: Check, name: string, patient: Patient): Promise<readonly Finding[]> => {
  try {
    return await check(patient);
  } catch (error) {
    return [{ check: name, state: 'skip', says: `not checked: ${describeError(error)}` }];
  }
};

/** One after the other and before all other checks, for they are timed. */
const proveTimed = async (patient: Patient): Promise<Proven> => {
  const { finding, isOut } = await proveGuard(patient);
  return isOut
    ? { isOut, isAsked: true, findings: [finding] }
    : { isOut, isAsked: finding.state === 'ok', findings: [finding, ...(await proveLetThrough(patient))] };
};

interface Proven {
  readonly findings: readonly Finding[];
  /** Belay cannot be called, or cannot judge: every other write would only say it again. */
  readonly isOut: boolean;
  readonly isAsked: boolean;
}

const proveMore =
  ({ findings, isOut, isAsked }: Proven): Check =>
  async (patient) => {
    if (isOut) return findings;
    const rest = await Promise.all([
      proveEnforced(patient, isAsked),
      proveObjects(patient),
      proveNamespaces(patient),
      provePolicies(patient),
    ]);
    return [...findings, ...rest.flat()];
  };

/** In the order in which they are shown: first what everything else depends on. */
const checksAfter = (proven: Proven): readonly (readonly [name: string, check: Check])[] => [
  ['API server', checkApiServer],
  ['versions', checkVersions],
  ["policies' kind", checkPolicyKind],
  ['policies', checkPolicies],
  ['webhooks', checkWebhooks],
  ['certificate', checkTrust],
  ['replicas', checkWorkload],
  ['rights', checkRights],
  ['roles', checkRoles],
  ['your rights', checkOwnRights],
  ['guard', proveMore(proven)],
  ['releases', checkLeftovers],
];

/** Proofs alone tell whether Belay guards, whatever else may be found. */
const PROOFS: ReadonlySet<string> = new Set(['guard', 'guard of objects', 'guard of namespaces']);

const diagnose = (findings: readonly Finding[]): Diagnosis => {
  const proofs = findings.filter(({ check }) => PROOFS.has(check)).map(({ state }) => state);
  const guards = proofs.includes('fail') ? false : proofs.includes('ok') ? true : undefined;
  return { findings, guards };
};

const exitCodeOf = ({ findings, guards }: Diagnosis): number => {
  if (guards === false || findings.some(({ state }) => state === 'fail')) return BROKEN;
  return guards === undefined ? EXIT.failed : 0;
};

/** `belay doctor`. Rejects where there is no cluster to talk to. */
export const doctor = async (options: DoctorOptions, invocation: Invocation): Promise<void> => {
  const patient = await examine(options, invocation);
  const checks = checksAfter(await proveTimed(patient));
  const findings = await Promise.all(checks.map(([name, check]) => run(check, name, patient)));
  const diagnosis = diagnose(findings.flat());
  await print(diagnosis, options.output);
  process.exitCode = exitCodeOf(diagnosis);
};
