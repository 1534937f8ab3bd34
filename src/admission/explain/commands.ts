import type { RecordKind, RecordRef, ReleaseName } from '../../helm/names.ts';
import { parseRecordName } from '../../helm/record.ts';
import type { ObjectRef } from '../../kubernetes/object.ts';
import type { LockSource } from '../../policy/lock.ts';
import { showTime } from '../../text/when.ts';

/**
 * Commands are made to be pasted into a shell, so a name goes in only if it is one that Kubernetes could have accepted:
 * anything else could end the command and begin another.
 */
const word = (name: string, placeholder: string): string =>
  /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(name) ? name : `<${placeholder}>`;

const releaseWord = ({ name }: ReleaseName): string => word(name, 'release');

const inNamespace = ({ namespace }: { namespace: string }): string => `-n ${word(namespace, 'namespace')}`;

/** kubectl's word for a kind of record. */
const resourceOf = (kind: RecordKind): string => (kind === 'ConfigMap' ? 'configmap' : 'secret');

const annotateRecords = (kind: RecordKind, release: ReleaseName): string =>
  `kubectl annotate ${resourceOf(kind)} ${inNamespace(release)} -l owner=helm,name=${releaseWord(release)}`;

export const helmUpgrade = (release: ReleaseName): string =>
  `helm upgrade ${releaseWord(release)} <chart> ${inNamespace(release)} ...`;

export const helmStatus = (release: ReleaseName): string =>
  `helm status ${releaseWord(release)} ${inNamespace(release)}`;

export const helmHistory = (release: ReleaseName): string =>
  `helm history ${releaseWord(release)} ${inNamespace(release)}`;

export const repairRelease = (release: ReleaseName): string =>
  `belay drift ${releaseWord(release)} ${inNamespace(release)} --repair`;

/** `--overwrite`, because last week's window may still be written there. */
export const openRelease = (kind: RecordKind, release: ReleaseName, untilMs: number): string =>
  `${annotateRecords(kind, release)} --overwrite belay.dev/open="why" belay.dev/open-until=${showTime(untilMs)}`;

export const breakOperation = (record: RecordRef): string =>
  `kubectl annotate ${resourceOf(record.kind)} ${inNamespace(record)} ${word(record.name, 'record')} belay.dev/break="why"`;

/** A lock that a policy states is lifted where the policy is kept. */
export const editPolicy = (name: string): string => `kubectl edit releasepolicy ${word(name, 'policy')}`;

const WORKLOADS: Readonly<Record<string, string>> = {
  'apps Deployment': 'kubectl rollout restart deployment/',
  'apps StatefulSet': 'kubectl rollout restart statefulset/',
  'apps DaemonSet': 'kubectl rollout restart daemonset/',
  'argoproj.io Rollout': 'kubectl argo rollouts restart ',
};

/** Undefined for a kind that has no such command. */
export const restartPods = ({ group, kind, namespace, name }: ObjectRef): string | undefined => {
  const restart = WORKLOADS[`${group} ${kind}`];
  return restart === undefined ? undefined : `${restart}${word(name, 'name')} ${inNamespace({ namespace })}`;
};

const LABEL_KEY = /^([a-z0-9][a-z0-9.-]*\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;

/** Of labels that Kubernetes would not take, none is told. */
export const deletePods = ({ namespace }: ObjectRef, labels: Readonly<Record<string, string>>): string => {
  const terms = Object.entries(labels).flatMap(([key, value]) =>
    LABEL_KEY.test(key) && LABEL_VALUE.test(value) ? `${key}=${value}` : [],
  );
  const isWhole = terms.length > 0 && terms.length === Object.keys(labels).length;
  return `kubectl delete pod ${inNamespace({ namespace })} ${isWhole ? `-l ${terms.join(',')}` : '<pod>'}`;
};

/** `account` is `namespace:name`, where the preset names another one. A policy called `default` need not be named. */
export const applyPreset = (preset: string, account: string | undefined, policy: string | undefined): string =>
  [
    `belay policy preset apply ${word(preset, 'preset')}`,
    ...(account === undefined
      ? []
      : [
          `--account ${account
            .split(':')
            .map((part) => word(part, 'account'))
            .join(':')}`,
        ]),
    ...(policy === undefined || policy === 'default' ? [] : [`--policy ${word(policy, 'policy')}`]),
  ].join(' ');

/** Takes a lock away from where it sits. */
export const unlock = ({ kind, namespace, name }: LockSource, release: ReleaseName, ...keys: string[]): string => {
  if (kind === 'ReleasePolicy') return editPolicy(name);
  const target =
    kind === 'Namespace'
      ? `kubectl annotate namespace ${word(name, 'namespace')}`
      : // When a whole namespace is deleted, the freeze may be on another release in it.
        annotateRecords(kind, { namespace, name: parseRecordName(name)?.release ?? release.name });
  return [target, ...keys.map((key) => `${key}-`)].join(' ');
};

/** Takes the end of the freeze away with it, so that the next freeze does not inherit it. */
export const unfreeze = (source: LockSource, release: ReleaseName, hasEnd: boolean): string =>
  unlock(source, release, 'belay.dev/freeze', ...(hasEnd ? ['belay.dev/freeze-until'] : []));

/**
 * The RBAC rule that grants it, as an entry of a Role's `rules`. No `kubectl auth can-i` beside it: kubectl drops the group of a resource
 * that the server does not know, and always answers no.
 */
export const grantingRule = (verb: string, name: string | undefined): string => {
  const names = name === undefined ? '' : `resourceNames: [${JSON.stringify(word(name, 'release'))}], `;
  return `- {apiGroups: [belay.dev], resources: [releases], ${names}verbs: [${verb}]}`;
};
