import { isDeepStrictEqual } from 'node:util';
import type { Payload } from '../../memory/record.ts';
import { isTerminating, isUnfinishedStatus, type Moment, newestOf, type Promised } from './moment.ts';
import type { StoredRevision } from './stored.ts';

/** What of a stored revision never changes: `helm test` writes when its hooks ran. */
const contentOf = ({ chart, config, manifest, hooks, name, namespace, version }: Payload): unknown => ({
  chart,
  config,
  manifest,
  hooks: hooks.map((hook) => ({ ...hook, last_run: undefined })),
  name,
  namespace,
  version,
});

const difference = (before: StoredRevision, after: StoredRevision): string | undefined => {
  if (!isDeepStrictEqual(contentOf(before.payload), contentOf(after.payload))) return 'has another content';
  return before.status === after.status ? undefined : `went from ${before.status} to ${after.status}`;
};

/** What a write does to the records of the release. */
const changesOf = ({ before, after }: Moment): readonly string[] => [
  ...before.revisions.flatMap((old) => {
    const now = after.revisions.find(({ key }) => key === old.key);
    const what = now === undefined ? 'is gone' : difference(old, now);
    return what === undefined ? [] : `revision ${old.revision} ${what}`;
  }),
  ...after.revisions
    .filter(({ key }) => !before.revisions.some((old) => old.key === key))
    .map(({ revision, status }) => `revision ${revision} was stored as ${status}`),
];

/** The holder finishes what began before the freeze, late or not, as long as nobody has taken over: records change, none comes or goes. */
const isFinishing = ({ change, before }: Moment): boolean => {
  const { operation } = before;
  if (operation === undefined || (operation.by ?? change.username) !== change.username) return false;
  return operation.mayBeAlive || (change.before !== undefined && change.after !== undefined);
};

/** No record of a frozen release comes, goes, or says something else; nor does its Namespace go. */
export const promisedRecords: Promised = (moment) => {
  const { change, before, after, rules } = moment;
  if (!rules.operations || isTerminating(before)) return [];
  const content = before.revisions.filter((old) => {
    const now = after.revisions.find(({ key }) => key === old.key);
    return now !== undefined && difference(old, now) === 'has another content';
  });
  const broken = content.map(({ revision }) => `revision ${revision} has another content`);
  if (!before.isFrozen) return broken;
  if (change.resource.kind === 'Namespace') {
    return isTerminating(after) || change.after === undefined ? ['the Namespace of a frozen release is deleted'] : [];
  }
  if (isFinishing(moment)) return broken;
  return changesOf(moment).map((what) => `${what}, although the release is frozen`);
};

/** At most one operation is in flight, and its records say what its holder says. */
export const promisedOneAtATime: Promised = (moment) => {
  const { change, before, after, rules } = moment;
  const { operation } = before;
  if (!rules.operations || operation?.isAlive !== true || isTerminating(before)) return [];
  const by = operation.by ?? change.username;
  const begun = after.revisions.find(({ key, status }) => {
    const old = before.revisions.find((record) => record.key === key);
    return isUnfinishedStatus(status) && old?.status !== status;
  });
  const { status, revision } = operation.record;
  if (begun !== undefined)
    return [`revision ${begun.revision} became ${begun.status} beside revision ${revision} that is ${status}`];
  if (by === change.username) return [];
  const moved = changesOf(moment);
  return moved.map((what) => `${what} beside the ${status} of ${by}, which goes on`);
};

/** A release goes with its records: what is locked on it is locked no more. */
export const isGoing = ({ before }: Moment): boolean => {
  const status = newestOf(before)?.status;
  return status === 'uninstalling' || status === 'uninstalled';
};
