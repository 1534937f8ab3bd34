/**
 * What one replica knows of the certificates, and the round by which it keeps them in order. A round reads live. When it breaks off at any point,
 * the next round, of this or another replica, goes on. There is no timer, no watch and no client in here.
 */
import type { Logger } from 'pino';
import { isConflict } from '../kubernetes/api.ts';
import type { Step } from './assess.ts';
import type { Configurations } from './configurations.ts';
import type { IssueOptions } from './issue.ts';
import type { Lifetimes, Pauses } from './lifetimes.ts';
import { type Kept, keepOwn } from './own-certificates.ts';
import { readForeign } from './read-foreign.ts';
import { createServedCertificate } from './served-certificate.ts';
import { createStopwatch } from './stopwatch.ts';
import type { Store } from './store.ts';
import type { ServingCertificate } from './take-step.ts';
import { createWebhookTrust, type WebhookTrust } from './webhook-trust.ts';

/** Who keeps the Secret: Belay itself (`self`), or somebody else (`secret`). In the second case Belay only reads it. */
export type Issuer = 'self' | 'secret';

export interface KeeperOptions {
  readonly issuer: Issuer;
  /** Whether Belay writes the caBundles. */
  readonly inject: boolean;
  readonly store: Store;
  readonly configurations: Configurations;
  readonly dnsNames: readonly string[];
  readonly lifetimes: Lifetimes;
  readonly pauses: Pauses;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds since any moment. Cannot be set. */
  readonly steadyMs: () => number;
  readonly generateKeys?: IssueOptions['generateKeys'];
}

export type Failure = 'secret' | 'content' | 'injection';

export interface KeeperStats {
  /** How often this replica took each step. */
  readonly steps: Readonly<Record<Step, number>>;
  readonly failures: Readonly<Record<Failure, number>>;
  /** Certificates that this replica began to serve. */
  readonly reloads: number;
}

/** When to begin the next round. `now`: a step was taken. `soon`: a certificate waits to be served. `later`: nothing is due. */
export type Again = 'now' | 'soon' | 'later';

export interface Keeper {
  /** Does as much as it can. Rejects with the error that kept the round from being complete. */
  round(signal?: AbortSignal): Promise<Again>;
  current(): ServingCertificate | undefined;
  /** Called with each new certificate. Returns how to stop that. */
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
  /** Whether, since the start, every webhook has at some time told the API server to trust the certificate that is served. */
  isInjected(): boolean;
  /** Why there is nothing to serve. */
  problem(): string;
  stats(): KeeperStats;
}

/** After five conflicts in a row the caller backs off and tries again. */
const MAX_ATTEMPTS = 5;

const isUnchanged = (one: ServingCertificate, other: ServingCertificate): boolean =>
  one.cert === other.cert && one.key === other.key && one.ca === other.ca;

/** Counts what fails. A conflict is no failure: another replica was first. */
const createFailureCounter =
  (failures: Record<Failure, number>) =>
  async <T>(failure: Failure, work: Promise<T>) => {
    try {
      return await work;
    } catch (error) {
      if (!isConflict(error)) failures[failure] += 1;
      throw error;
    }
  };

/** Reads, or keeps in order, what the Secret holds. */
const createSecretKeeper = (options: KeeperOptions, trust: WebhookTrust, failures: Record<Failure, number>) => {
  const { issuer, inject, store, dnsNames, lifetimes, pauses, log, now, generateKeys } = options;
  const bundleForMs = createStopwatch(options.steadyMs);
  let problem = 'the Secret has not been read yet';

  const readSecret = async (
    current: ServingCertificate | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Kept | undefined> => {
    const found = await store.read(signal);
    const [dnsName = ''] = dnsNames;
    const read = readForeign(found?.contents, { now: now(), dnsName, inject });
    const before = problem;
    problem = read.ok ? '' : read.problem;
    if (read.ok) return { certificate: read.certificate };
    failures.content += 1;
    if (problem !== before) log.error({ problem }, 'the Secret cannot be served, going on with what was served last');
    return current && { certificate: current };
  };

  return {
    /** Undefined where the Secret has never held anything that can be served. */
    keep: (current: ServingCertificate | undefined, signal: AbortSignal | undefined): Promise<Kept | undefined> => {
      if (issuer === 'secret') return readSecret(current, signal);
      const issue = { now: now(), dnsNames, lifetimes, ...(generateKeys && { generateKeys }) };
      const circumstances = { now: issue.now, dnsNames, lifetimes, pauses, knownForMs: trust.knownForMs };
      return keepOwn({ store, circumstances, bundleForMs, issue, served: current, log, ...(signal && { signal }) });
    },
    noteServed: () => {
      problem = '';
    },
    problem: () => problem,
  };
};

/** Tries again where another replica was first. */
const retryOnConflict = async <T>(attempt: () => Promise<T>): Promise<T> => {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || count === MAX_ATTEMPTS) throw error;
    }
  }
};

export const createKeeper = (options: KeeperOptions): Keeper => {
  const { inject, configurations, pauses } = options;
  const failures: Record<Failure, number> = { secret: 0, content: 0, injection: 0 };
  const steps: Record<Step, number> = { renew: 0, publish: 0, switch: 0, prune: 0, replace: 0 };
  const counted = createFailureCounter(failures);
  const trust = createWebhookTrust({ ...options, graceMs: pauses.graceMs });
  const secret = createSecretKeeper(options, trust, failures);
  const served = createServedCertificate();
  let injected = false;

  const serve = (next: ServingCertificate): void => {
    const current = served.current();
    if (current !== undefined && isUnchanged(current, next)) return;
    secret.noteServed();
    served.serve(next);
  };

  const attemptRound = async (signal: AbortSignal | undefined): Promise<Again> => {
    // The configurations are read first, and only then the Secret: a patch passes only where a configuration is as it was before the Secret
    // was read. So a replica that was held up in between cannot put an older bundle over a newer one.
    const [reading] = await Promise.allSettled([counted('injection', configurations.read(signal))]);
    const seen = reading.status === 'fulfilled' ? reading.value : undefined;
    trust.note(seen);
    const kept = await counted('secret', secret.keep(served.current(), signal));
    if (kept === undefined) return 'later';
    const { certificate, took } = kept;
    if (took !== undefined) steps[took] += 1;
    let failed: unknown = reading.status === 'rejected' ? reading.reason : undefined;
    if (inject && certificate.ca !== '' && seen !== undefined) {
      const injecting = counted('injection', trust.inject(seen, certificate.ca, signal));
      const [injection] = await Promise.allSettled([injecting]);
      if (injection.status === 'rejected') failed = injection.reason;
    }
    // Also where the injection failed: a certificate that may not be trusted is better than none.
    const waits = trust.mustWait(served.current(), certificate);
    if (!waits) serve(certificate);
    if (failed !== undefined) throw failed;
    const current = served.current();
    injected ||= current !== undefined && trust.isTrusted(current);
    if (took !== undefined) return 'now';
    return waits ? 'soon' : 'later';
  };

  return {
    round: (signal) => retryOnConflict(() => attemptRound(signal)),
    current: served.current,
    onChange: served.onChange,
    isInjected: () => injected,
    problem: secret.problem,
    stats: () => ({ steps, failures, reloads: served.reloads() }),
  };
};
