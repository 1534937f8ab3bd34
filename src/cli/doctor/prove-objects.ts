import type { ReleaseName } from '../../helm/names.ts';
import { ownerOf } from '../../helm/owner.ts';
import { type Api, METADATA_LIST_ONLY, pathOf } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { PolicySubject } from '../../policy/policy.ts';
import { ignoredPathsFor, isTrusted } from '../../policy/subjects.ts';
import { quoteText, showName } from '../../text/escape.ts';
import { findReleases } from '../releases/find-releases.ts';
import { ask, describeError } from './ask.ts';
import type { CheckContext, List } from './check-context.ts';
import type { Finding } from './finding.ts';
import { explainRest, explainUnchecked, isUnchecked, rehearsedCode } from './proof.ts';
import { type Outcome, tryWrite } from './try-write.ts';

/** Nearly every chart has an object of one of these kinds. */
const KINDS = [
  { group: 'apps', kind: 'Deployment', path: ['apis', 'apps', 'v1'], resource: 'deployments' },
  { group: '', kind: 'Service', path: ['api', 'v1'], resource: 'services' },
  { group: '', kind: 'ConfigMap', path: ['api', 'v1'], resource: 'configmaps' },
] as const;

/** Objects that are listed of each kind, and objects that are tried. The first try nearly always decides. */
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

/** Leaves out objects that carry Helm's marks and are in no manifest: hooks, kept objects, and objects of controllers. */
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

/** Undefined: the user may list none of the kinds. */
const findCandidates = async (
  context: CheckContext,
  namespace: string | undefined,
): Promise<readonly Candidate[] | undefined> => {
  const answers = await Promise.all(
    KINDS.map((kind) =>
      ask<List<KubernetesObject>>(context.api, {
        path: pathOf(...kind.path, ...(namespace === undefined ? [] : ['namespaces', namespace]), kind.resource),
        query: { labelSelector: 'app.kubernetes.io/managed-by=Helm', limit: MAX_LISTED },
        accept: METADATA_LIST_ONLY,
      }),
    ),
  );
  if (!answers.some(({ state }) => state === 'read')) return undefined;
  return KINDS.flatMap((kind, at) => {
    const answer = answers[at];
    return answer?.state === 'read' ? candidatesOf(kind, answer.value.items ?? [], context.place.namespace) : [];
  });
};

/** Tries to give an object to another release. That is drift for every user and every kind, and changes nothing else. */
const tryChange = ({ api }: CheckContext, { path }: Candidate): Promise<Outcome> =>
  tryWrite(api, {
    method: 'PATCH',
    path,
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { 'meta.helm.sh/release-name': 'belay-doctor' } } },
  });

interface Self {
  readonly status?: { readonly userInfo?: { readonly username?: string; readonly groups?: readonly string[] } };
}

/** Whether a policy trusts the user. Undefined: the API server does not say who the user is. */
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

/** Why Belay may rightly have let the change through. Undefined: there is no reason. */
const findReason = async ({ api }: CheckContext, candidate: Candidate): Promise<string | undefined> => {
  const { namespace, name } = candidate.release;
  const { views } = await findReleases(api, { namespace, names: [name] }, { withCharts: false });
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

const judgePassed = async (context: CheckContext, tried: readonly Candidate[]): Promise<Finding> => {
  const check = 'guard of objects';
  const [first] = tried;
  if (isUnchecked(context))
    return {
      ...explainUnchecked(check, context),
      says: `Belay is asked about objects, but cannot judge: a change of ${first?.shown} was let through`,
    };
  const reasons = await Promise.all(
    tried.map((candidate) => findReason(context, candidate).catch((error: unknown) => describeError(error))),
  );
  // One change without a reason is enough, whatever the reasons for the others.
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

/** One object of each release. */
const distinct = (candidates: readonly Candidate[]): readonly Candidate[] =>
  [...Map.groupBy(candidates, ({ release }) => `${release.namespace}/${release.name}`).values()].flatMap(
    ([first]) => first ?? [],
  );

/** Proves that Belay refuses a change of an object of a release. This needs a release in the cluster. */
export const proveObjects = async (context: CheckContext): Promise<Finding> => {
  const check = 'guard of objects';
  const near = await findCandidates(context, context.probeNamespace);
  const far = near === undefined || near.length === 0 ? await findCandidates(context, undefined) : [];
  const candidates = distinct([...(near ?? []), ...(far ?? [])]);
  if (candidates.length === 0) {
    const where = far === undefined ? `in namespace ${showName(context.probeNamespace)}` : 'in this cluster';
    return { check, state: 'skip', says: `not checked: you see nothing that Helm manages ${where}` };
  }
  const tried = candidates.slice(0, MAX_TRIED);
  const passed: Candidate[] = [];
  for (const candidate of tried) {
    const outcome = await tryChange(context, candidate);
    if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable') {
      const { latencyMs, webhook, code } = outcome;
      const says = `a change of ${candidate.shown} was refused within ${latencyMs} ms (${webhook}, ${code})`;
      return { check, state: 'ok', says, latencyMs };
    }
    const code = outcome.came === 'through' ? rehearsedCode(context) : undefined;
    if (outcome.came === 'through' && code !== undefined) {
      const { latencyMs } = outcome;
      const says = `a change of ${candidate.shown} was refused within ${latencyMs} ms (objects.belay.dev, ${code})`;
      return { check, state: 'ok', says, latencyMs };
    }
    if (outcome.came !== 'through') return explainRest(check, context, outcome);
    passed.push(candidate);
  }
  return judgePassed(context, passed);
};
