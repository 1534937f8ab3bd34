// Our own, after client-go's Reflector and a look at the informer of @kubernetes/client-node: the informer keeps every object in memory, cannot
// ask for metadata alone, ends at the first error, and does not tell how old its copy is.
import type { Logger } from 'pino';
import type { MirrorIntervals } from '../intervals/intervals.ts';
import { type Api, ApiError } from './api.ts';
import { createMirror, type Mirror, type ReflectedResource, type ReflectorSink } from './mirror.ts';
import { createMirrorAge, type MirrorAge } from './mirror-age.ts';
import { sleep } from './sleep.ts';

/** Keeps a mirror of a collection: it lists, then watches. When the watch is too old to go on, it lists again. */
export interface Reflector {
  /** True once the first list is complete. */
  isSynced(): boolean;
  /** Milliseconds since the watch last said anything. A watch on which nothing happens sends a bookmark about every minute. */
  silenceMs(): number;
  /** How long the mirror may have lacked something: 0 while its watch is open and lives. */
  staleMs(): number;
  /** Lists again. Calls at the same time share one list. Rejects when the API server does not answer. */
  refresh(): Promise<void>;
  /** Ends when the signal fires. */
  run(signal: AbortSignal): Promise<void>;
}

/** Several reviews may wait for a refresh, and none of them longer than this. */
const REFRESH_TIMEOUT_MS = 10_000;

export interface ReflectorOptions {
  readonly intervals: MirrorIntervals;
  /** A clock that cannot be set: a step of the wall clock must not make a mirror look old, or new. */
  readonly monotonicMs?: () => number;
}

/** Follows the watch until it ends, and cuts a watch that says nothing for `quietMs`. */
const followUntilSilent = async (
  mirror: Mirror,
  age: MirrorAge,
  quietMs: number,
  signal: AbortSignal,
): Promise<void> => {
  const quiet = new AbortController();
  const timer = setTimeout(() => quiet.abort(new Error('the watch said nothing')), quietMs);
  try {
    await mirror.follow(AbortSignal.any([signal, quiet.signal]), () => timer.refresh());
  } finally {
    clearTimeout(timer);
    age.noteEnded(quiet.signal.aborted);
  }
};

const listAgain = async (mirror: Mirror): Promise<void> => {
  try {
    await mirror.list(AbortSignal.timeout(REFRESH_TIMEOUT_MS));
  } catch (error) {
    if (!mirror.isMissing(error)) throw error;
    mirror.clear();
  }
};

export const createReflector = <Entry>(
  api: Api,
  resource: ReflectedResource,
  sink: ReflectorSink<Entry>,
  log: Logger,
  { intervals, monotonicMs = () => performance.now() }: ReflectorOptions,
): Reflector => {
  const { firstBackoffMs, lastBackoffMs, missingPauseMs, quietMs } = intervals;
  const age = createMirrorAge(monotonicMs, quietMs);
  const mirror = createMirror(api, resource, sink, age, log);
  let refreshing: Promise<void> | undefined;

  const noteInterruption = (error: unknown): void => {
    const status = error instanceof ApiError ? error.status : 0;
    // 410 Gone: the version is older than what the API server keeps. After any other error the watch goes on where it was.
    if (status === 410 || status === 400) mirror.forgetVersion();
    log.warn({ path: resource.path, status, err: (error as Error).message }, 'watch interrupted');
  };

  return {
    isSynced: mirror.isSynced,
    silenceMs: age.silenceMs,
    staleMs: age.staleMs,
    refresh: () => {
      refreshing ??= listAgain(mirror).finally(() => {
        refreshing = undefined;
      });
      return refreshing;
    },
    run: async (signal) => {
      let backoffMs = firstBackoffMs;
      while (!signal.aborted) {
        try {
          if (mirror.needsList()) await mirror.list(signal);
          await followUntilSilent(mirror, age, quietMs, signal);
          backoffMs = firstBackoffMs;
        } catch (error) {
          if (signal.aborted) return;
          if (mirror.isMissing(error)) {
            mirror.clear();
            await sleep(missingPauseMs, signal);
            continue;
          }
          noteInterruption(error);
          await sleep(backoffMs * (0.5 + Math.random()), signal);
          backoffMs = Math.min(backoffMs * 2, lastBackoffMs);
        }
      }
    },
  };
};
