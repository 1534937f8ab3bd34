import {
  carriersOf,
  freezeEndMs,
  isTerminating,
  type Moment,
  newestOf,
  type Promised,
  type ReleaseView,
  type Verb,
} from './moment.ts';
import { isGoing } from './promised-records.ts';

const PIN = 'belay.dev/pin';
const NO_DOWNGRADE = 'belay.dev/no-downgrade';

/** The locks on versions that the release is held to. */
const versionLocksOf = (view: ReleaseView): ReadonlySet<string> =>
  new Set(
    carriersOf(view).flatMap((each) => [
      ...(each[PIN] === undefined ? [] : [`${PIN}=${each[PIN]}`]),
      ...(each[NO_DOWNGRADE] === undefined ? [] : [NO_DOWNGRADE]),
    ]),
  );

const endOf = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString() : 'never');

const lostLocks = (moment: Moment): readonly string[] => {
  const { before, after, nowMs } = moment;
  const [was, is] = [freezeEndMs(before, nowMs), freezeEndMs(after, nowMs)];
  const freeze = was === undefined || (is !== undefined && is >= was) ? [] : [`a freeze that ends ${endOf(was)}`];
  // A release that is uninstalled takes its pins along.
  const kept = versionLocksOf(after);
  const versions = isGoing(moment) ? [] : [...versionLocksOf(before)].filter((lock) => !kept.has(lock));
  return [...freeze, ...versions];
};

/** No lock goes without the right to unlock. */
export const promisedLocks: Promised = (moment) => {
  const { change, before, release, rules } = moment;
  const { operation } = before;
  if (!rules.operations || isTerminating(before) || newestOf(before) === undefined) return [];
  // The holder of an uninstall takes the release away with all that is on it.
  if (operation?.record.status === 'uninstalling' && (operation.by ?? change.username) === change.username) return [];
  if (change.resource.kind === 'Namespace' && change.after?.metadata?.deletionTimestamp !== undefined) return [];
  if (moment.may('unlock', change.resource.kind === 'Namespace' ? '' : release)) return [];
  return lostLocks(moment).map((lock) => `${lock} is gone, and ${change.username} has no right to unlock`);
};

const VERB_OF: Readonly<Record<string, Verb>> = {
  'belay.dev/freeze': 'lock',
  [PIN]: 'lock',
  [NO_DOWNGRADE]: 'lock',
  'belay.dev/open': 'open',
  'belay.dev/break': 'break',
};

/** Nobody locks, opens or breaks without the right to, and nobody freezes in another's name. */
export const promisedRights: Promised = ({ change, before, after, release, may }) => {
  if (newestOf(before) === undefined && newestOf(after) === undefined) return [];
  const carried = carriersOf(before);
  const verbRelease = change.resource.kind === 'Namespace' ? '' : release;
  return carriersOf(after).flatMap((annotations) =>
    Object.entries(annotations).flatMap(([key, value]) => {
      if (carried.some((each) => each[key] === value)) return [];
      const verb = VERB_OF[key];
      if (verb !== undefined && !may(verb, verbRelease))
        return [`${change.username} wrote ${key} without the right to ${verb}`];
      return key === 'belay.dev/freeze-by' && value !== change.username
        ? [`${change.username} froze in the name of ${value}`]
        : [];
    }),
  );
};
