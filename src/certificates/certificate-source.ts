/**
 * Where the listener gets its certificate from: one small object with a clock. It keeps the Secret in order, or follows one that somebody
 * else keeps, and keeps the caBundle in the webhook configurations.
 *
 * Everything that may have changed (a watch event, a tick, an error) leads to the same round (keeper.ts). A round reads live, so that it
 * does not matter which event was missed. After cert-manager's pkg/server/tls/dynamic_source.go.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Api, METADATA_ONLY, pathOf } from '../kubernetes/api.ts';
import { escapeText } from '../text/escape.ts';
import {
  CONFIGURATION_NAME,
  CONFIGURATION_RESOURCES,
  configurationsPath,
  createConfigurations,
} from './configurations.ts';
import { serviceDnsNames } from './issue.ts';
import { type Again, createKeeper, type Issuer, type Keeper } from './keeper.ts';
import { DEFAULT_LIFETIMES, type Lifetimes, type Pauses, pausesOf } from './lifetimes.ts';
import { CERTIFICATES_SECRET } from './secret-name.ts';
import { createStore } from './store.ts';

export interface CertificateSourceOptions {
  readonly api: Api;
  /** Belay's own namespace. */
  readonly namespace: string;
  /** The Service's name, `belay` unless told. */
  readonly service?: string;
  /** Whose the Secret is: Belay's own unless told. */
  readonly issuer?: Issuer;
  /** The Secret's name, `belay-certificates` unless told. */
  readonly secret?: string;
  /** Whether the caBundles are Belay's to write; they are unless told. */
  readonly inject?: boolean;
  readonly lifetimes?: Lifetimes;
  /** Those that fit the lifetimes unless told. */
  readonly pauses?: Pauses;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds since any moment, never stepped. */
  readonly steadyMs?: () => number;
}

export interface CertificateSource extends Omit<Keeper, 'round'> {
  /**
   * Begins, and goes on until the signal. Resolves as soon as there is a certificate to serve, however long that takes;
   * rejects with the signal's reason if it is aborted before.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when everything that `start` began has ended, after the signal. */
  stopped(): Promise<void>;
}

/** Somebody who overwrites the caBundle in a loop is answered at most this often. */
const MIN_PAUSE_MS = 250;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;
/** The server then ends the watch itself, before the client takes five minutes of silence (cluster/connection.ts) for a failure. */
const WATCH_SECONDS = 240;

export const createCertificateSource = (options: CertificateSourceOptions): CertificateSource => {
  const { api, namespace, log, secret = CERTIFICATES_SECRET, lifetimes = DEFAULT_LIFETIMES } = options;
  const pauses = options.pauses ?? pausesOf(lifetimes);
  const { round, ...keeper } = createKeeper({
    issuer: options.issuer ?? 'self',
    inject: options.inject ?? true,
    store: createStore(api, namespace, secret),
    configurations: createConfigurations(api, log),
    dnsNames: serviceDnsNames(options.service ?? 'belay', namespace),
    lifetimes,
    pauses,
    log: log.child({ secret: { namespace, name: secret } }),
    now: options.now ?? Date.now,
    steadyMs: options.steadyMs ?? (() => performance.now()),
  });
  let running: Promise<unknown> = Promise.resolve();
  let due = true;
  let wake = (): void => {};

  const lookAgain = (): void => {
    due = true;
    wake();
  };

  /** Waits, but no longer than until the signal. */
  const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
    sleep(ms, undefined, { signal }).catch(() => undefined);

  /** Doubles with each failure in a row; somewhere between half and all of it, so that replicas do not march in step. */
  const backoffMs = (failures: number): number =>
    Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);

  const keepInOrder = async (signal: AbortSignal): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      due = false;
      let again: Again = 'now';
      try {
        again = await round(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        const problem = escapeText((error as Error).message);
        log.error({ problem }, 'the certificates could not be put in order, trying again');
        failures += 1;
      }
      await pause(failures > 0 ? backoffMs(failures) : MIN_PAUSE_MS, signal);
      if (!due && again !== 'now') await nextCall(again === 'soon' ? pauses.graceMs : pauses.tickMs, signal);
    }
  };

  /**
   * Until somebody calls `lookAgain`, or that long. One long timer until the day of the renewal would be late by the time that the
   * machine was suspended; a short tick that compares with the wall clock is not.
   */
  const nextCall = async (ms: number, signal: AbortSignal): Promise<void> => {
    const heard = new AbortController();
    wake = () => heard.abort();
    await pause(ms, AbortSignal.any([signal, heard.signal]));
    wake = () => {};
  };

  const follow = async (path: string, name: string, signal: AbortSignal): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        // Selecting by name is what lets RBAC narrow `watch` by resourceNames. Without a resourceVersion the watch begins with the
        // present state, so that nothing is missed between two watches.
        const query = { fieldSelector: `metadata.name=${name}`, timeoutSeconds: WATCH_SECONDS };
        for await (const event of api.watch({ path, query, accept: METADATA_ONLY, signal })) {
          if (event.type === 'ERROR') break;
          failures = 0;
          lookAgain();
        }
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const problem = escapeText((error as Error).message);
        if (failures === 1) log.warn({ path, problem }, 'a watch broke off, watching again');
      }
      lookAgain();
      await pause(backoffMs(failures), signal);
    }
  };

  return {
    ...keeper,
    start(signal) {
      const secrets = pathOf('api', 'v1', 'namespaces', namespace, 'secrets');
      const ready = new Promise<void>((resolve, reject) => {
        const stopListening = keeper.onChange(() => {
          stopListening();
          resolve();
        });
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        if (signal.aborted) reject(signal.reason);
      });
      running = Promise.all([
        keepInOrder(signal),
        follow(secrets, secret, signal),
        ...CONFIGURATION_RESOURCES.map((resource) => follow(configurationsPath(resource), CONFIGURATION_NAME, signal)),
      ]);
      return ready;
    },
    async stopped() {
      await running;
    },
  };
};
