/**
 * Where the listener gets its certificate from: one small object with a clock. It keeps the Secret in order, follows it when another
 * replica or a person replaces it, and keeps the caBundle in the webhook configurations.
 *
 * Everything that may have changed (a watch event, a tick, an error) leads to the same round: read the Secret, inject, serve. A round
 * reads live, so that it does not matter which event was missed. After cert-manager's pkg/server/tls/dynamic_source.go.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Api, METADATA_ONLY, pathOf } from '../cluster/api.ts';
import { CONFIGURATION_NAME, CONFIGURATION_RESOURCES, configurationsPath, injectCaBundle } from './inject.ts';
import { serviceDnsNames } from './issue.ts';
import { CERTIFICATES_SECRET, ensureCertificates, type ServingCertificate } from './store.ts';

export interface CertificateSourceOptions {
  readonly api: Api;
  /** Belay's own namespace. */
  readonly namespace: string;
  /** The Service's name, `belay` unless told. */
  readonly service?: string;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How often to look even if nothing was heard: a minute unless told. */
  readonly tickMs?: number;
}

export interface CertificateSource {
  /**
   * Begins, and goes on until the signal. Resolves as soon as there is a certificate to serve, however long that takes;
   * rejects with the signal's reason if it is aborted before.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when everything that `start` began has ended, after the signal. */
  stopped(): Promise<void>;
  current(): ServingCertificate | undefined;
  /** Called with each new certificate, after its authority was injected. Returns how to stop that. */
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
  /**
   * Whether both configurations have carried our caBundle since the start. It stays true when somebody overwrites one: it is put back
   * within seconds, and a replica that turns unready for that would only make it last longer.
   */
  isInjected(): boolean;
}

const TICK_MS = 60_000;
/** Somebody who overwrites the caBundle in a loop is answered at most this often. */
const MIN_PAUSE_MS = 250;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;
/** The server then ends the watch itself, before the client takes five minutes of silence (cluster/connection.ts) for a failure. */
const WATCH_SECONDS = 240;

export const createCertificateSource = (options: CertificateSourceOptions): CertificateSource => {
  const { api, namespace, log } = options;
  const now = options.now ?? Date.now;
  const dnsNames = serviceDnsNames(options.service ?? 'belay', namespace);
  const listeners = new Set<(certificate: ServingCertificate) => void>();
  let certificate: ServingCertificate | undefined;
  let injected = false;
  let running: Promise<unknown> = Promise.resolve();
  let due = true;
  let wake = (): void => {};

  const lookAgain = (): void => {
    due = true;
    wake();
  };

  const adopt = (next: ServingCertificate): void => {
    if (certificate?.cert === next.cert && certificate.key === next.key && certificate.ca === next.ca) return;
    certificate = next;
    for (const listener of listeners) listener(next);
  };

  const round = async (signal: AbortSignal): Promise<void> => {
    const next = await ensureCertificates({ api, namespace, dnsNames, log, now, signal });
    // Inject first: the API server should trust a certificate before it meets it. But serve it even if that fails.
    const outcomes = await Promise.allSettled(
      CONFIGURATION_RESOURCES.map((resource) => injectCaBundle(resource, { api, ca: next.ca, log, signal })),
    );
    adopt(next);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const complete = outcomes.every((outcome) => outcome.status === 'fulfilled' && outcome.value);
    if (!complete && !injected) log.warn(`there is no webhook configuration ${CONFIGURATION_NAME} to inject into yet`);
    injected ||= complete;
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
      try {
        await round(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        due = true;
        log.error({ problem: (error as Error).message }, 'the certificates could not be put in order, trying again');
        failures += 1;
      }
      await pause(failures > 0 ? backoffMs(failures) : MIN_PAUSE_MS, signal);
      if (!due) await nextCall(signal);
    }
  };

  /**
   * Until somebody calls `lookAgain`, or the tick. One long timer until the day of the renewal would be late by the time that the
   * machine was suspended; a short tick that compares with the wall clock is not.
   */
  const nextCall = async (signal: AbortSignal): Promise<void> => {
    const heard = new AbortController();
    wake = () => heard.abort();
    await pause(options.tickMs ?? TICK_MS, AbortSignal.any([signal, heard.signal]));
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
        if (failures === 1) log.warn({ path, problem: (error as Error).message }, 'a watch broke off, watching again');
      }
      lookAgain();
      await pause(backoffMs(failures), signal);
    }
  };

  return {
    start(signal) {
      const secrets = pathOf('api', 'v1', 'namespaces', namespace, 'secrets');
      const ready = new Promise<void>((resolve, reject) => {
        const isReady = (): void => {
          listeners.delete(isReady);
          resolve();
        };
        listeners.add(isReady);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        if (signal.aborted) reject(signal.reason);
      });
      running = Promise.all([
        keepInOrder(signal),
        follow(secrets, CERTIFICATES_SECRET, signal),
        ...CONFIGURATION_RESOURCES.map((resource) => follow(configurationsPath(resource), CONFIGURATION_NAME, signal)),
      ]);
      return ready;
    },
    async stopped() {
      await running;
    },
    current: () => certificate,
    onChange(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    isInjected: () => injected,
  };
};
