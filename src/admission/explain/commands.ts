import type { RecordKind, RecordRef, ReleaseName } from '../../helm/names.ts';
import { parseRecordName } from '../../helm/record.ts';
import type { ObjectRef } from '../../kubernetes/object.ts';
import type { LockSource } from '../../policy/lock.ts';
import { showTime } from '../../text/when.ts';

/**
 * Commands are made to be pasted into a shell, so a name goes in only if Kubernetes could have accepted it:
 * any other text could end the command and begin another.
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

export const helmUninstall = (release: ReleaseName): string =>
  `helm uninstall ${releaseWord(release)} ${inNamespace(release)}`;

/** `kubectl edit Widget.v1.example.com/w -n shop` */
export const editInVersion = ({ kind, namespace, name }: ObjectRef, apiVersion: string): string => {
  const [group = '', version = ''] = apiVersion.split('/');
  const resource = [word(kind, 'kind'), word(version, 'version'), word(group, 'group')].join('.');
  return `kubectl edit ${resource}/${word(name, 'name')}${namespace === '' ? '' : ` ${inNamespace({ namespace })}`}`;
};

export const helmUpgradeByForce = (release: ReleaseName): string => `${helmUpgrade(release)} --force-conflicts`;

export const helmStatus = (release: ReleaseName): string =>
  `helm status ${releaseWord(release)} ${inNamespace(release)}`;

export const helmHistory = (release: ReleaseName): string =>
  `helm history ${releaseWord(release)} ${inNamespace(release)}`;

export const repairRelease = (release: ReleaseName): string =>
  `belay drift ${releaseWord(release)} ${inNamespace(release)} --repair`;

/** With `--overwrite`, because the annotation of last week's window may still be there. */
export const openRelease = (kind: RecordKind, release: ReleaseName, untilMs: number): string =>
  `${annotateRecords(kind, release)} --overwrite belay.dev/open="why" belay.dev/open-until=${showTime(untilMs)}`;

export const breakOperation = (record: RecordRef): string =>
  `kubectl annotate ${resourceOf(record.kind)} ${inNamespace(record)} ${word(record.name, 'record')} belay.dev/break="why"`;

/** A lock of a policy is lifted by an edit of the policy. */
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

/** The command that takes a lock off the object that carries it. */
export const unlock = ({ kind, namespace, name }: LockSource, release: ReleaseName, ...keys: string[]): string => {
  if (kind === 'ReleasePolicy') return editPolicy(name);
  const target =
    kind === 'Namespace'
      ? `kubectl annotate namespace ${word(name, 'namespace')}`
      : // When a whole namespace is deleted, the freeze may be on another release in it.
        annotateRecords(kind, { namespace, name: parseRecordName(name)?.release ?? release.name });
  return [target, ...keys.map((key) => `${key}-`)].join(' ');
};

/** The command also removes the end of the freeze, so that the next freeze does not inherit it. */
export const unfreeze = (source: LockSource, release: ReleaseName, hasEnd: boolean): string =>
  unlock(source, release, 'belay.dev/freeze', ...(hasEnd ? ['belay.dev/freeze-until'] : []));

/**
 * The RBAC rule that grants the right, as an entry of a Role's `rules`. `kubectl auth can-i` is not suggested: kubectl drops the group of a
 * resource that the server does not know, and always answers no.
 */
export const grantingRule = (verb: string, name: string | undefined): string => {
  const names = name === undefined ? '' : `resourceNames: [${JSON.stringify(word(name, 'release'))}], `;
  return `- {apiGroups: [belay.dev], resources: [releases], ${names}verbs: [${verb}]}`;
};
