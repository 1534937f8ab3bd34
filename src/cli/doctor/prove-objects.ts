import type { ReleaseName } from '../../helm/names.ts';
import { ownerOf } from '../../helm/owner.ts';
import { type Api, METADATA_LIST_ONLY, pathOf } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { PolicySubject } from '../../policy/policy.ts';
import { ignoredPathsFor, isTrusted } from '../../policy/subjects.ts';
import { quoteText, showName } from '../../text/escape.ts';
import { look } from '../releases/look.ts';
import { ask, describeError } from './ask.ts';
import type { Finding } from './finding.ts';
import type { List, Patient } from './patient.ts';
import { explainRest, explainUnchecked, isUnchecked } from './proof.ts';
import { type Outcome, tryWrite } from './try-write.ts';

/** Kinds of which nearly every chart brings one. */
const KINDS = [
  { group: 'apps', kind: 'Deployment', path: ['apis', 'apps', 'v1'], resource: 'deployments' },
  { group: '', kind: 'Service', path: ['api', 'v1'], resource: 'services' },
  { group: '', kind: 'ConfigMap', path: ['api', 'v1'], resource: 'configmaps' },
] as const;

/** Objects of a kind that are looked at, and objects that are tried: the first nearly always will do. */
const MAX_LISTED = 20;
const MAX_TRIED = 3;

interface Candidate {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly shown: string;
  readonly path: string;
  readonly release: ReleaseName;
}

/** What no manifest lists, though it is marked: hooks, what was kept from an earlier revision, what a controller has made. */
const isListed = ({ metadata }: KubernetesObject): boolean =>
  metadata?.deletionTimestamp === undefined &&
  metadata?.ownerReferences === undefined &&
  Object.keys(metadata?.annotations ?? {}).every((key) => key !== 'helm.sh/hook' && key !== 'helm.sh/resource-policy');

const candidatesOf = (
  { group, kind, path, resource }: (typeof KINDS)[number],
  objects: readonly KubernetesObject[],
  ownNamespace: string,
): readonly Candidate[] =>
  objects.filter(isListed).flatMap((object) => {
    const { name = '', namespace = '' } = object.metadata ?? {};
    const release = ownerOf(object);
    if (release === undefined || release.namespace !== namespace || namespace === ownNamespace) return [];
    return [
      {
        group,
        kind,
        name,
        shown: `${kind} ${showName(`${namespace}/${name}`)}`,
        path: pathOf(...path, 'namespaces', namespace, resource, name),
        release,
      },
    ];
  });

/** Undefined where nobody may look. */
const findCandidates = async (
  patient: Patient,
  namespace: string | undefined,
): Promise<readonly Candidate[] | undefined> => {
  const answers = await Promise.all(
    KINDS.map((kind) =>
      ask<List<KubernetesObject>>(patient.api, {
        path: pathOf(...kind.path, ...(namespace === undefined ? [] : ['namespaces', namespace]), kind.resource),
        query: { labelSelector: 'app.kubernetes.io/managed-by=Helm', limit: MAX_LISTED },
        accept: METADATA_LIST_ONLY,
      }),
    ),
  );
  if (!answers.some(({ state }) => state === 'read')) return undefined;
  return KINDS.flatMap((kind, at) => {
    const answer = answers[at];
    return answer?.state === 'read' ? candidatesOf(kind, answer.value.items ?? [], patient.place.namespace) : [];
  });
};

/** To give an object to another release is drift to everybody, of any kind; and nothing else of it is touched. */
const tryChange = ({ api }: Patient, { path }: Candidate): Promise<Outcome> =>
  tryWrite(api, {
    method: 'PATCH',
    path,
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { 'meta.helm.sh/release-name': 'belay-doctor' } } },
  });

interface Self {
  readonly status?: { readonly userInfo?: { readonly username?: string; readonly groups?: readonly string[] } };
}

/** Whether a policy trusts whoever runs this: undefined where the API server does not say who that is. */
const amTrusted = async (api: Api, subjects: readonly PolicySubject[]): Promise<boolean | undefined> => {
  if (subjects.length === 0) return false;
  const answer = await ask<Self>(api, {
    method: 'POST',
    path: pathOf('apis', 'authentication.k8s.io', 'v1', 'selfsubjectreviews'),
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  const { username, groups = [] } = (answer.state === 'read' ? answer.value.status?.userInfo : undefined) ?? {};
  return username === undefined ? undefined : isTrusted(subjects, { username, groups });
};

/** Why a change may rightly have been let through; undefined where there is no reason for it. */
const findReason = async ({ api }: Patient, candidate: Candidate): Promise<string | undefined> => {
  const { namespace, name } = candidate.release;
  const { views } = await look(api, { namespace, names: [name] }, { withCharts: false });
  const [view] = views;
  const shown = `release ${showName(`${namespace}/${name}`)}`;
  if (view === undefined) return `there is no ${shown}`;
  if (view.operation.state === 'in-flight') return `an operation of ${shown} is in flight`;
  if (view.deployed === undefined) return `no revision of ${shown} is deployed`;
  const open = view.locks.find(({ kind }) => kind === 'open');
  if (open !== undefined) return `${shown} is open: ${quoteText(open.reason ?? '')}`;
  if (view.policy === undefined) return 'you may not read the policy that holds';
  const { action, trusted, ignore } = view.policy.drift;
  if (action !== 'Deny') return `a policy has drift.action ${action} for ${shown}`;
  if ((await amTrusted(api, trusted)) !== false) return 'a policy trusts you, or may do so';
  const isIgnored = ignoredPathsFor(ignore, candidate).some((path) => path === '' || path.startsWith('/metadata'));
  return isIgnored ? 'a policy ignores metadata of it' : undefined;
};

const judgePassed = async (patient: Patient, tried: readonly Candidate[]): Promise<Finding> => {
  const check = 'guard of objects';
  const [first] = tried;
  if (isUnchecked(patient))
    return {
      ...explainUnchecked(check, patient),
      says: `Belay is asked about objects, but cannot judge: a change of ${first?.shown} was let through`,
    };
  const reasons = await Promise.all(
    tried.map((candidate) => findReason(patient, candidate).catch((error: unknown) => describeError(error))),
  );
  // One without a reason is enough: what the others are excused by says nothing of it.
  const at = reasons.indexOf(undefined);
  if (at < 0)
    return {
      check,
      state: 'skip',
      says: `not checked: a change of ${first?.shown} was let through, but ${reasons[0]}`,
    };
  return {
    check,
    state: 'fail',
    says: `Belay is not guarding what releases manage: a change of ${tried[at]?.shown} was let through`,
    next: 'kubectl get validatingwebhookconfiguration belay -o yaml',
  };
};

/** Of each release one object. */
const distinct = (candidates: readonly Candidate[]): readonly Candidate[] =>
  [...Map.groupBy(candidates, ({ release }) => `${release.namespace}/${release.name}`).values()].flatMap(
    ([first]) => first ?? [],
  );

/** A change of what a release manages has to be refused. For that there has to be a release. */
export const proveObjects = async (patient: Patient): Promise<Finding> => {
  const check = 'guard of objects';
  const near = await findCandidates(patient, patient.probeNamespace);
  const far = near === undefined || near.length === 0 ? await findCandidates(patient, undefined) : [];
  const candidates = distinct([...(near ?? []), ...(far ?? [])]);
  if (candidates.length === 0) {
    const where = far === undefined ? `in namespace ${showName(patient.probeNamespace)}` : 'in this cluster';
    return { check, state: 'skip', says: `not checked: you see nothing that Helm manages ${where}` };
  }
  const tried = candidates.slice(0, MAX_TRIED);
  const passed: Candidate[] = [];
  for (const candidate of tried) {
    const outcome = await tryChange(patient, candidate);
    if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable') {
      const { latencyMs, webhook, code } = outcome;
      const says = `a change of ${candidate.shown} was refused within ${latencyMs} ms (${webhook}, ${code})`;
      return { check, state: 'ok', says, latencyMs };
    }
    if (outcome.came !== 'through') return explainRest(check, patient, outcome);
    passed.push(candidate);
  }
  return judgePassed(patient, passed);
};
