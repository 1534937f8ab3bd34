/**
 * What one replica knows of the certificates, and the round by which it keeps them in order. Every round reads live, and may be broken
 * off anywhere: the next one, of this or another replica, goes on. No timer, no watch, no client.
 */
import { X509Certificate } from 'node:crypto';
import type { Logger } from 'pino';
import { isConflict } from '../kubernetes/api.ts';
import type { Step } from './assess.ts';
import { isCurrent } from './bundle.ts';
import { bundlesOf, type Configurations, type SeenConfiguration } from './configurations.ts';
import type { IssueOptions } from './issue.ts';
import type { Lifetimes, Pauses } from './lifetimes.ts';
import { type Kept, keepOwn } from './own-certificates.ts';
import { readForeign } from './read-foreign.ts';
import type { Store } from './store.ts';
import type { ServingCertificate } from './take-step.ts';
import { createTrustHistory } from './trust-history.ts';

/** Whose the Secret is: Belay's own (`self`), or somebody else's, which is only read. */
export type Issuer = 'self' | 'secret';

export interface KeeperOptions {
  readonly issuer: Issuer;
  /** Whether the caBundles are Belay's to write. */
  readonly inject: boolean;
  readonly store: Store;
  readonly configurations: Configurations;
  readonly dnsNames: readonly string[];
  readonly lifetimes: Lifetimes;
  readonly pauses: Pauses;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds since any moment, never stepped. */
  readonly steadyMs: () => number;
  readonly generateKeys?: IssueOptions['generateKeys'];
}

export type Failure = 'secret' | 'content' | 'injection';

export interface KeeperStats {
  /** Steps that this replica took, by what they were. */
  readonly steps: Readonly<Record<Step, number>>;
  readonly failures: Readonly<Record<Failure, number>>;
  /** Certificates that this replica began to serve. */
  readonly reloads: number;
}

/** When to look again: a step was taken, something is to be waited for, or nothing is due. */
export type Again = 'now' | 'soon' | 'later';

export interface Keeper {
  /** Rejects with what kept it from being complete; what could be done has been done. */
  round(signal?: AbortSignal): Promise<Again>;
  current(): ServingCertificate | undefined;
  /** Called with each new certificate. Returns how to stop that. */
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
  /** Whether the API server has been told to trust what is served, by every webhook, since the start. */
  isInjected(): boolean;
  /** Why there is nothing to serve. */
  problem(): string;
  stats(): KeeperStats;
}

/** More than a handful of lost races in a row is no race: the caller backs off and tries again. */
const MAX_ATTEMPTS = 5;

const isSame = (one: ServingCertificate, other: ServingCertificate): boolean =>
  one.cert === other.cert && one.key === other.key && one.ca === other.ca;

export const createKeeper = (options: KeeperOptions): Keeper => {
  const { issuer, inject, store, configurations, dnsNames, lifetimes, pauses, log, now, steadyMs } = options;
  const history = createTrustHistory(steadyMs);
  const bundleForMs = createStopwatch(steadyMs);
  const listeners = new Set<(certificate: ServingCertificate) => void>();
  const steps: Record<Step, number> = { renew: 0, publish: 0, switch: 0, prune: 0, replace: 0 };
  const failures: Record<Failure, number> = { secret: 0, content: 0, injection: 0 };
  let reloads = 0;
  let current: ServingCertificate | undefined;
  let injected = false;
  let missingSaid = false;
  let problem = 'the Secret has not been read yet';

  const counted = async <T>(failure: Failure, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!isConflict(error)) failures[failure] += 1;
      throw error;
    }
  };

  /** Undefined where there never was anything good to serve. */
  const keepForeign = async (signal: AbortSignal | undefined): Promise<Kept | undefined> => {
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

  const keep = (signal: AbortSignal | undefined): Promise<Kept | undefined> => {
    if (issuer === 'secret') return keepForeign(signal);
    const { generateKeys } = options;
    const issue = { now: now(), dnsNames, lifetimes, ...(generateKeys && { generateKeys }) };
    const circumstances = { now: issue.now, dnsNames, lifetimes, pauses, knownForMs: history.knownForMs };
    return keepOwn({ store, circumstances, bundleForMs, issue, served: current, log, ...(signal && { signal }) });
  };

  const adopt = (next: ServingCertificate): void => {
    if (current !== undefined && isSame(current, next)) return;
    const isReload = current?.cert !== next.cert || current.key !== next.key;
    current = next;
    problem = '';
    if (!isReload) return;
    reloads += 1;
    for (const listener of listeners) listener(next);
  };

  /**
   * Every API server should have heard of an authority before it meets what it has signed: for as long as what is served now is
   * trusted and good, a certificate of an authority that is new to them waits.
   */
  const shouldWait = (next: ServingCertificate): boolean => {
    if (current === undefined || current.cert === next.cert) return false;
    const works =
      isCurrent(new X509Certificate(current.cert), now()) && history.trustedForMs(current.cert) !== undefined;
    return works && (history.trustedForMs(next.cert) ?? -1) < pauses.graceMs;
  };

  const noteTrust = (seen: readonly (SeenConfiguration | undefined)[] | undefined): void => {
    history.note(seen === undefined ? [] : bundlesOf(seen));
    const isMissing = seen?.includes(undefined) ?? missingSaid;
    if (isMissing && !missingSaid) log.warn('one of the two webhook configurations named belay is missing');
    missingSaid = isMissing;
  };

  const injectInto = async (
    seen: readonly (SeenConfiguration | undefined)[],
    ca: string,
    signal: AbortSignal | undefined,
  ): Promise<(SeenConfiguration | undefined)[]> => {
    const injecting = seen.map((configuration) => configuration && configurations.inject(configuration, ca, signal));
    // Neither is left under way when the other one fails.
    await Promise.allSettled(injecting);
    return Promise.all(injecting);
  };

  const attemptRound = async (signal: AbortSignal | undefined): Promise<Again> => {
    // The configurations first, and only then the Secret: a patch passes only where a configuration is as it was before the Secret was
    // read. So a replica that was held up in between cannot put an older bundle over a newer one.
    const [reading] = await Promise.allSettled([counted('injection', configurations.read(signal))]);
    const seen = reading.status === 'fulfilled' ? reading.value : undefined;
    noteTrust(seen);
    const kept = await counted('secret', keep(signal));
    if (kept?.took !== undefined) steps[kept.took] += 1;
    if (kept === undefined) return 'later';
    const { certificate } = kept;
    let failed: unknown = reading.status === 'rejected' ? reading.reason : undefined;
    if (inject && certificate.ca !== '' && seen !== undefined) {
      const [injecting] = await Promise.allSettled([counted('injection', injectInto(seen, certificate.ca, signal))]);
      if (injecting.status === 'fulfilled') noteTrust(injecting.value);
      else failed = injecting.reason;
    }
    // Even if that failed: something that may not be trusted is better than nothing.
    const waits = shouldWait(certificate);
    if (!waits) adopt(certificate);
    if (failed !== undefined) throw failed;
    injected ||= current !== undefined && history.trustedForMs(current.cert) !== undefined;
    if (kept.took !== undefined) return 'now';
    return waits ? 'soon' : 'later';
  };

  return {
    async round(signal) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await attemptRound(signal);
        } catch (error) {
          if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
        }
      }
    },
    current: () => current,
    onChange(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    isInjected: () => injected,
    problem: () => problem,
    stats: () => ({ steps, failures, reloads }),
  };
};

/** For how long the same text has been shown to it without a break. */
const createStopwatch = (steadyMs: () => number): ((text: string | undefined) => number) => {
  let shown: string | undefined;
  let sinceMs = 0;
  return (text) => {
    if (text !== shown) sinceMs = steadyMs();
    shown = text;
    return text === undefined ? 0 : steadyMs() - sinceMs;
  };
};
