/**
 * Where the listener gets its certificate from. The source keeps Belay's own Secret in order, or follows a Secret that somebody else keeps. It also
 * keeps the caBundle in the webhook configurations.
 *
 * Each event (a change that a watch tells of, a tick, an error) leads to the same round (keeper.ts). A round reads live, so that it does not matter
 * which event was missed. After cert-manager's pkg/server/tls/dynamic_source.go.
 */
import type { Logger } from 'pino';
import type { CertificateIntervals } from '../intervals/intervals.ts';
import { type Api, pathOf } from '../kubernetes/api.ts';
import { createWakeableSleep, sleep, type WakeableSleep } from '../kubernetes/sleep.ts';
import { escapeText } from '../text/escape.ts';
import { backoffMs } from './backoff.ts';
import {
  CONFIGURATION_NAME,
  CONFIGURATION_RESOURCES,
  configurationsPath,
  createConfigurations,
} from './configurations.ts';
import { followObject } from './follow-object.ts';
import { serviceDnsNames } from './issue.ts';
import { type Again, createKeeper, type Issuer, type Keeper } from './keeper.ts';
import { DEFAULT_LIFETIMES, type Lifetimes, type Pauses, pausesOf } from './lifetimes.ts';
import { CERTIFICATES_SECRET } from './secret-name.ts';
import { createStore } from './store.ts';

export interface CertificateSourceOptions {
  readonly api: Api;
  /** Belay's own namespace. */
  readonly namespace: string;
  /** The name of the Service. Default: `belay`. */
  readonly service?: string;
  /** Who keeps the Secret. Default: Belay itself. */
  readonly issuer?: Issuer;
  /** The name of the Secret. Default: `belay-certificates`. */
  readonly secret?: string;
  /** Whether Belay writes the caBundles. Default: yes. */
  readonly inject?: boolean;
  readonly lifetimes?: Lifetimes;
  /** Default: the pauses that fit the lifetimes. */
  readonly pauses?: Pauses;
  readonly log: Logger;
  readonly intervals: CertificateIntervals;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds since any moment. Cannot be set. */
  readonly steadyMs?: () => number;
}

export interface CertificateSource extends Omit<Keeper, 'round'> {
  /**
   * Begins, and goes on until the signal fires. Resolves as soon as there is a certificate to serve, without a limit in time. Rejects with the
   * signal's reason when the signal fires before.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when the work that `start` began has ended after the signal. */
  stopped(): Promise<void>;
}

const keeperOf = (options: CertificateSourceOptions, secret: string, lifetimes: Lifetimes, pauses: Pauses): Keeper => {
  const { api, namespace, log } = options;
  return createKeeper({
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
};

interface Rounds {
  readonly round: Keeper['round'];
  readonly pauses: Pauses;
  /** Woken when something may have changed. */
  readonly rest: WakeableSleep;
  readonly intervals: CertificateIntervals;
  readonly log: Logger;
}

/**
 * Goes round after round until the signal fires. It looks by a short tick that compares with the wall clock: one long timer until the day of
 * the renewal would be late by the time that the machine was suspended.
 */
const keepInOrder = async ({ round, pauses, rest, intervals, log }: Rounds, signal: AbortSignal): Promise<void> => {
  const restMs: Readonly<Record<Again, number>> = { now: 0, soon: pauses.graceMs, later: pauses.tickMs };
  let failures = 0;
  while (!signal.aborted) {
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
    await sleep(failures > 0 ? backoffMs(failures, intervals) : intervals.minPauseMs, signal);
    await rest.sleep(restMs[again], signal);
  }
};

/** Resolves at the first certificate. Rejects with the signal's reason when the signal fires before. */
const firstCertificate = (keeper: Pick<Keeper, 'onChange'>, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stopListening = keeper.onChange(() => {
      stopListening();
      resolve();
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });

export const createCertificateSource = (options: CertificateSourceOptions): CertificateSource => {
  const { api, namespace, log, intervals, secret = CERTIFICATES_SECRET, lifetimes = DEFAULT_LIFETIMES } = options;
  const pauses = options.pauses ?? pausesOf(lifetimes, intervals);
  const { round, ...keeper } = keeperOf(options, secret, lifetimes, pauses);
  const rest = createWakeableSleep();
  let running: Promise<unknown> = Promise.resolve();

  const followed = [
    { path: pathOf('api', 'v1', 'namespaces', namespace, 'secrets'), name: secret },
    ...CONFIGURATION_RESOURCES.map((resource) => ({ path: configurationsPath(resource), name: CONFIGURATION_NAME })),
  ];

  return {
    ...keeper,
    start: (signal) => {
      const ready = firstCertificate(keeper, signal);
      running = Promise.all([
        keepInOrder({ round, pauses, rest, intervals, log }, signal),
        ...followed.map((object) => followObject({ api, intervals, log }, { ...object, onChange: rest.wake }, signal)),
      ]);
      return ready;
    },
    stopped: async () => {
      await running;
    },
  };
};
