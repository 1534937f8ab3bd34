import type { Logger } from 'pino';
import { type Api, METADATA_ONLY } from '../kubernetes/api.ts';
import { sleep } from '../kubernetes/sleep.ts';
import { escapeText } from '../text/escape.ts';
import { type BackoffIntervals, backoffMs } from './backoff.ts';

export interface ObjectToFollow {
  /** The path of its collection. */
  readonly path: string;
  readonly name: string;
  /** The object may have changed: the watch has told of it, or has ended and may have missed something. */
  readonly onChange: () => void;
}

export interface FollowDependencies {
  readonly api: Api;
  readonly intervals: BackoffIntervals;
  readonly log: Logger;
}

/** The API server then ends the watch, before the client takes five minutes of silence for a failure (bodyTimeout, kubernetes/connection.ts). */
const WATCH_SECONDS = 240;

/** Watches one object, again and again. Ends when the signal fires. */
export const followObject = async (
  { api, intervals, log }: FollowDependencies,
  { path, name, onChange }: ObjectToFollow,
  signal: AbortSignal,
): Promise<void> => {
  let failures = 0;
  while (!signal.aborted) {
    try {
      // RBAC can narrow `watch` by resourceNames only where a watch selects by name. Without a resourceVersion the watch begins with the
      // present state, so that nothing is missed between two watches.
      const query = { fieldSelector: `metadata.name=${name}`, timeoutSeconds: WATCH_SECONDS };
      for await (const event of api.watch({ path, query, accept: METADATA_ONLY, signal })) {
        if (event.type === 'ERROR') break;
        failures = 0;
        onChange();
      }
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      const problem = escapeText((error as Error).message);
      if (failures === 1) log.warn({ path, problem }, 'a watch broke off, watching again');
    }
    onChange();
    await sleep(backoffMs(failures, intervals), signal);
  }
};
