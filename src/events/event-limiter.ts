import { LRUCache } from 'lru-cache';
import type { ReleaseName } from '../helm/names.ts';

/** Something that happened, as far as the limits go. */
export interface Occurrence {
  readonly reason: string;
  readonly release: ReleaseName;
  /** Where its Event would be written. */
  readonly namespace: string;
  /** The object; undefined for a record, because whichever revision it is, the story is the release's. */
  readonly object: string | undefined;
}

/** `times`: how many occurrences the Event stands for. `held`: it has had its Event for this minute. `over`: there are too many others. */
export type LimiterAnswer =
  | { readonly admitted: true; readonly times: number }
  | { readonly admitted: false; readonly why: 'held' | 'over' };

/** Decides what is worth a write. Whoever can provoke refusals must not be able to fill a namespace with Events. */
export interface EventLimiter {
  admit(occurrence: Occurrence, nowMs: number): LimiterAnswer;
  /** It was not written after all, because another replica has just done so: counted by the next one. */
  hold(occurrence: Occurrence, times: number): void;
}

/** `--event-ttl` of the API server: by then the Event is gone, and what was held back with it. */
const FORGET_MS = 3_600_000;

/**
 * A release has one record's Event a reason and minute, and this many for its objects together: a chart may list hundreds, and one
 * `kubectl delete --all` is refused on each.
 */
const MAX_OBJECTS_OF_RELEASE = 10;

/** As many as six releases may have. */
const MAX_OBJECTS_IN_NAMESPACE = 60;

/**
 * Anybody who may write Secrets can invent records of releases that are not there. Counted by reason, so that they crowd out no story
 * of another kind; and no namespace has many more releases than this refused in a minute.
 */
const MAX_RECORDS_IN_NAMESPACE = 20;

/** Far more than can be written in the minute that matters; bounds the memory at some megabytes. */
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

/** Either way: a clock that was set back must not hold Events back until it has caught up. */
const isWithin = (ms: number, aMs: number, bMs: number): boolean => Math.abs(aMs - bMs) < ms;

/** `seriesMs`: the time in which the same thing is told of once. */
export const createEventLimiter = (seriesMs: number): EventLimiter => {
  const series = new LRUCache<string, Series>({ max: MAX_REMEMBERED });
  /** When those of the last minute were admitted. */
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
