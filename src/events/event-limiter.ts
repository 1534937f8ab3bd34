import { LRUCache } from 'lru-cache';
import type { ReleaseName } from '../helm/names.ts';

/** Something that happened, as far as the limits need it. */
export interface Occurrence {
  readonly reason: string;
  readonly release: ReleaseName;
  /** Where its Event would be written. */
  readonly namespace: string;
  /** The object. Undefined for a record: Events about any revision of a release are one series. */
  readonly object: string | undefined;
}

/**
 * `times`: how many occurrences the Event stands for. `held`: there was an Event of the series within the last minute. `over`: there are too many
 * other Events.
 */
export type LimiterAnswer =
  | { readonly admitted: true; readonly times: number }
  | { readonly admitted: false; readonly why: 'held' | 'over' };

/** Decides which Events are written. Somebody who can provoke refusals must not be able to fill a namespace with Events. */
export interface EventLimiter {
  admit(occurrence: Occurrence, nowMs: number): LimiterAnswer;
  /** The Event was not written after all, because another replica has just written it. The next Event of the series counts it. */
  hold(occurrence: Occurrence, times: number): void;
}

/** `--event-ttl` of the API server. By then the Event is gone, and the occurrences that were held back are forgotten. */
const FORGET_MS = 3_600_000;

/**
 * In a minute, a release has one Event about its records for each reason, and this many about all its objects. A chart may list hundreds of objects,
 * and one `kubectl delete --all` is refused on each of them.
 */
const MAX_OBJECTS_OF_RELEASE = 10;

/** As many as for six releases. */
const MAX_OBJECTS_IN_NAMESPACE = 60;

/**
 * Anybody who may write Secrets can invent records of releases that do not exist. Events about records are counted by reason, so that invented ones
 * do not crowd out Events of another reason. In no namespace are many more releases than this refused in a minute.
 */
const MAX_RECORDS_IN_NAMESPACE = 20;

/** Far more than can be written in a minute. It bounds the memory to some megabytes. */
const MAX_REMEMBERED = 10_000;

interface Series {
  readonly lastMs: number;
  held: number;
}

interface Bound {
  readonly key: string;
  readonly max: number;
}

const keyOf = (...parts: readonly (string | undefined)[]): string => JSON.stringify(parts);

const seriesKey = ({ reason, release, object }: Occurrence): string =>
  keyOf(reason, release.namespace, release.name, object);

const boundsOf = ({ reason, release, namespace, object }: Occurrence): readonly Bound[] =>
  object === undefined
    ? [{ key: keyOf('records', namespace, reason), max: MAX_RECORDS_IN_NAMESPACE }]
    : [
        { key: keyOf('release', release.namespace, release.name), max: MAX_OBJECTS_OF_RELEASE },
        { key: keyOf('namespace', namespace), max: MAX_OBJECTS_IN_NAMESPACE },
      ];

/** Looks in both directions of time: a clock that was set back must not hold Events back until it has caught up. */
const isWithin = (ms: number, aMs: number, bMs: number): boolean => Math.abs(aMs - bMs) < ms;

/** `seriesMs`: the time in which a series has one Event. */
export const createEventLimiter = (seriesMs: number): EventLimiter => {
  const series = new LRUCache<string, Series>({ max: MAX_REMEMBERED });
  /** For each bound, when the Events of the last minute were admitted. */
  const admittedMs = new LRUCache<string, readonly number[]>({ max: MAX_REMEMBERED });

  return {
    admit: (occurrence, nowMs) => {
      const key = seriesKey(occurrence);
      const known = series.get(key);
      if (known !== undefined && isWithin(seriesMs, nowMs, known.lastMs)) {
        known.held += 1;
        return { admitted: false, why: 'held' };
      }
      const bounds = boundsOf(occurrence).map((bound) => ({
        ...bound,
        recentMs: (admittedMs.get(bound.key) ?? []).filter((ms) => isWithin(seriesMs, nowMs, ms)),
      }));
      if (bounds.some(({ recentMs, max }) => recentMs.length >= max)) return { admitted: false, why: 'over' };
      for (const bound of bounds) admittedMs.set(bound.key, [...bound.recentMs, nowMs]);
      series.set(key, { lastMs: nowMs, held: 0 });
      const held = known !== undefined && isWithin(FORGET_MS, nowMs, known.lastMs) ? known.held : 0;
      return { admitted: true, times: held + 1 };
    },
    hold: (occurrence, times) => {
      const known = series.get(seriesKey(occurrence));
      if (known !== undefined) known.held += times;
    },
  };
};
