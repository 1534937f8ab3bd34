import { CLAIM_SELECTOR, readClaim } from '../../facts/claim-lease.ts';
import type { ReleaseName } from '../../helm/names.ts';
import { type ReleaseRecord, toRecord } from '../../helm/record.ts';
import { type Api, ApiError, METADATA_LIST_ONLY, pathOf } from '../../kubernetes/api.ts';
import { listPages, PAGE_SIZE } from '../../kubernetes/list-all.ts';
import type { ReflectedObject } from '../../kubernetes/object.ts';
import { judgeLockChange } from '../../policy/judge-lock-change.ts';
import type { LockSource } from '../../policy/lock.ts';
import { type Annotations, FREEZE_UNTIL, OPEN_UNTIL, parseTime } from '../../policy/lock-annotations.ts';
import { CLAIM_VOID_AFTER_MS, type Claim } from '../../rules/in-flight.ts';
import type { NamespaceFacts } from '../../rules/locks.ts';
import { toNamespaceFacts } from '../../rules/locks.ts';
import { escapeText, showName } from '../../text/escape.ts';
import { readPolicies } from '../releases/policies.ts';
import { type ReleaseView, viewReleases } from '../releases/release-view.ts';
import { describeError } from './ask.ts';
import { atMost, count, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';

/** The metadata of 10,000 records is some 10 MB. */
const MAX_PAGES = 20;

interface Listed {
  readonly objects: readonly ReflectedObject[];
  /** Whether there are more than are looked at. */
  readonly isCut: boolean;
}

const listSome = async (
  api: Api,
  path: string,
  labelSelector: string | undefined,
  accept?: string,
): Promise<Listed> => {
  const objects: ReflectedObject[] = [];
  let pages = 0;
  for await (const page of listPages(api, { path, labelSelector, accept })) {
    objects.push(...page.items);
    pages += 1;
    if (pages === MAX_PAGES && page.hasMore) return { objects, isCut: true };
  }
  return { objects, isCut: false };
};

interface Seen {
  /** Undefined: all of them. */
  readonly namespace: string | undefined;
  readonly records: readonly ReleaseRecord[];
  readonly claims: ReadonlyMap<string, { readonly release: ReleaseName; readonly claim: Claim }> | undefined;
  readonly namespaces: readonly NamespaceFacts[];
  readonly views: readonly ReleaseView[];
  readonly isCut: boolean;
}

/** Of what may not be read, the rest is still worth a look. */
const orNothing = async <T>(promise: Promise<T>): Promise<T | undefined> => {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
};

const pathIn = (namespace: string | undefined, resource: string, ...group: readonly string[]): string =>
  pathOf(
    ...(group.length === 0 ? ['api', 'v1'] : ['apis', ...group]),
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    resource,
  );

const listNamespaces = async (api: Api, namespace: string | undefined): Promise<Listed> =>
  namespace === undefined
    ? listSome(api, '/api/v1/namespaces', undefined, METADATA_LIST_ONLY)
    : {
        objects: [await api.request<ReflectedObject>({ path: pathOf('api', 'v1', 'namespaces', namespace) })],
        isCut: false,
      };

/** Rejects where the records may not be listed. */
const see = async ({ api, nowMs }: Patient, namespace: string | undefined): Promise<Seen> => {
  const records = (resource: string): Promise<Listed> =>
    listSome(api, pathIn(namespace, resource), 'owner=helm', METADATA_LIST_ONLY);
  const [secrets, configMaps, leases, listed, policies] = await Promise.all([
    records('secrets'),
    orNothing(records('configmaps')),
    orNothing(listSome(api, pathIn(namespace, 'leases', 'coordination.k8s.io', 'v1'), CLAIM_SELECTOR)),
    orNothing(listNamespaces(api, namespace)),
    orNothing(readPolicies(api)),
  ]);
  const found = [
    ...secrets.objects.flatMap(({ metadata }) => toRecord('Secret', metadata) ?? []),
    ...(configMaps?.objects ?? []).flatMap(({ metadata }) => toRecord('ConfigMap', metadata) ?? []),
  ];
  const claims =
    leases === undefined
      ? undefined
      : new Map(
          leases.objects
            .flatMap((lease) => readClaim(lease) ?? [])
            .map((one) => [`${one.release.namespace}/${one.release.name}`, one]),
        );
  const namespaces = (listed?.objects ?? []).map(({ metadata }) => toNamespaceFacts(metadata));
  const byName = new Map(namespaces.map((one) => [one.name, one]));
  const snapshot = {
    records: found,
    claims: claims && new Map([...claims].map(([key, { claim }]) => [key, claim])),
    namespace: (name: string) => byName.get(name),
    policies: policies?.flatMap(({ accepted }) => accepted?.policy ?? []),
    drifted: undefined,
  };
  return {
    namespace,
    records: found,
    claims,
    namespaces,
    views: viewReleases(snapshot, new Map(), nowMs),
    isCut: secrets.isCut || configMaps?.isCut === true || leases?.isCut === true || listed?.isCut === true,
  };
};

const showRelease = ({ namespace, name }: ReleaseName): string => showName(`${namespace}/${name}`);

const findStuck = ({ views, namespace }: Seen, command: string): readonly Finding[] => {
  const check = 'stuck releases';
  const stuck = views.flatMap(({ release, operation }) =>
    operation.state === 'dead'
      ? [
          `${showRelease(release)}: ${operation.was.operation} to revision ${operation.was.revision} is ${operation.reason}`,
        ]
      : [],
  );
  const ownerless = views.flatMap(({ release, operation }) =>
    operation.state === 'in-flight' && operation.inFlight.holder === undefined
      ? [
          `${showRelease(release)}: ${operation.inFlight.operation} to revision ${operation.inFlight.revision} is in flight, and nobody knows whose it is`,
        ]
      : [],
  );
  const all = [...stuck, ...ownerless];
  if (all.length === 0)
    return [
      {
        check,
        state: 'ok',
        says: views.length === 0 ? 'there are no releases' : `none of ${count(views.length, 'release')}`,
      },
    ];
  return [
    {
      check,
      state: 'warn',
      says: `${all.length} of ${count(views.length, 'release')} did not end as they should; the next operation takes over`,
      details: atMost(all, 5),
      next: `${command} status ${namespace === undefined ? '-A' : `-n ${showName(namespace)}`}`,
    },
  ];
};

/** A claim is as good as gone when its release is; Belay deletes it sooner or later. */
const findClaims = ({ claims, records, isCut }: Seen, nowMs: number): readonly Finding[] => {
  const check = 'claims';
  if (claims === undefined) return [{ check, state: 'skip', says: 'not checked: you may not list leases' }];
  // A release whose records were not listed would look as if it had none.
  if (isCut) return [];
  const known = new Set(records.map(({ namespace, release }) => `${namespace}/${release}`));
  const orphans = [...claims]
    .filter(([key, { claim }]) => !known.has(key) && nowMs >= claim.acquiredAtMs + CLAIM_VOID_AFTER_MS)
    .map(([, { release, claim }]) => `${showRelease(release)}: ${claim.operation} by ${showName(claim.holder)}`);
  if (orphans.length === 0)
    return [
      {
        check,
        state: 'ok',
        says: claims.size === 0 ? 'none' : `${count(claims.size, 'claim')}, of releases that are there`,
      },
    ];
  return [
    {
      check,
      state: 'warn',
      says: `${count(orphans.length, 'claim')} of releases that are gone; they block nothing, and Belay deletes them when it runs`,
      details: atMost(orphans, 5),
      next: `kubectl get leases -A -l ${CLAIM_SELECTOR}`,
    },
  ];
};

/** A time that has passed is how a lock ends. */
const hasEnded = (annotations: Annotations, key: string): boolean =>
  (key === FREEZE_UNTIL || key === OPEN_UNTIL) && parseTime(annotations[key] ?? '') !== undefined;

const problemsOf = (annotations: Annotations | undefined, source: LockSource, nowMs: number): readonly string[] =>
  annotations === undefined
    ? []
    : judgeLockChange({}, annotations, nowMs, source)
        .problems.filter(({ annotation }) => !hasEnded(annotations, annotation))
        .map(({ annotation, problem }) => {
          const where = source.namespace === '' ? source.name : `${source.namespace}/${source.name}`;
          return `${source.kind} ${showName(where)}: ${escapeText(annotation, 253)} ${escapeText(problem)}`;
        });

/** What cannot be read counts as locked, so that somebody is going to be surprised. */
const findBadLocks = ({ records, namespaces }: Seen, nowMs: number): readonly Finding[] => {
  const check = 'locks';
  const bad = [
    ...records.flatMap(({ kind, namespace, name, locks }) => problemsOf(locks, { kind, namespace, name }, nowMs)),
    ...namespaces.flatMap(({ name, annotations }) =>
      problemsOf(annotations, { kind: 'Namespace', namespace: '', name }, nowMs),
    ),
  ];
  if (bad.length === 0) return [{ check, state: 'ok', says: 'all that are set can be read' }];
  return [
    {
      check,
      state: 'warn',
      says: `${count(bad.length, 'annotation')} cannot be read, and count as locks until somebody corrects them`,
      details: atMost(bad, 5),
    },
  ];
};

/** What has been left behind: by operations that died, by Belay while it was away, and by who wrote past it. */
export const checkLeftovers = async (patient: Patient): Promise<readonly Finding[]> => {
  const check = 'releases';
  const { nowMs, command, probeNamespace } = patient;
  let seen: Seen;
  try {
    seen = (await orNothing(see(patient, undefined))) ?? (await see(patient, probeNamespace));
  } catch (error) {
    return [{ check, state: 'skip', says: `not checked: ${describeError(error)}` }];
  }
  const scope: readonly Finding[] =
    seen.namespace === undefined && !seen.isCut
      ? []
      : [
          {
            check,
            state: 'skip',
            says: seen.isCut
              ? `there are more than ${PAGE_SIZE * MAX_PAGES} records: what follows is of the first of them`
              : `what follows is of namespace ${showName(probeNamespace)}: you may not list those of all namespaces`,
          },
        ];
  return [...scope, ...findStuck(seen, command), ...findClaims(seen, nowMs), ...findBadLocks(seen, nowMs)];
};
