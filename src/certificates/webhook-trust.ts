import { X509Certificate } from 'node:crypto';
import type { Logger } from 'pino';
import { isCurrent } from './bundle.ts';
import { bundlesOf, type Configurations, type SeenConfiguration } from './configurations.ts';
import type { ServingCertificate } from './take-step.ts';
import { createTrustHistory } from './trust-history.ts';

/** What the API servers trust, by the caBundles of Belay's webhook configurations. */
export interface WebhookTrust {
  /** Takes note of the configurations as they were just read; undefined where they could not be read. */
  note(seen: readonly (SeenConfiguration | undefined)[] | undefined): void;
  /** Writes the caBundle into the configurations, and takes note of them. Rejects where one of them could not be written. */
  inject(seen: readonly (SeenConfiguration | undefined)[], ca: string, signal: AbortSignal | undefined): Promise<void>;
  /** For how long every webhook has carried an authority; 0 where one does not. */
  knownForMs(authority: X509Certificate): number;
  isTrusted(certificate: ServingCertificate): boolean;
  /** Whether `current` is to be served on for a while, because the API servers may not have heard of the authority of `next`. */
  mustWait(current: ServingCertificate | undefined, next: ServingCertificate): boolean;
}

export interface WebhookTrustOptions {
  readonly configurations: Configurations;
  /** How long an authority has to be known before a certificate that it signed is served. */
  readonly graceMs: number;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds since any moment, never stepped. */
  readonly steadyMs: () => number;
}

export const createWebhookTrust = ({
  configurations,
  graceMs,
  log,
  now,
  steadyMs,
}: WebhookTrustOptions): WebhookTrust => {
  const history = createTrustHistory(steadyMs);
  let wasMissing = false;

  const note: WebhookTrust['note'] = (seen) => {
    history.note(seen === undefined ? [] : bundlesOf(seen));
    const isMissing = seen?.includes(undefined) ?? wasMissing;
    if (isMissing && !wasMissing) log.warn('one of the two webhook configurations named belay is missing');
    wasMissing = isMissing;
  };

  return {
    note,
    inject: async (seen, ca, signal) => {
      const injecting = seen.map((configuration) => configuration && configurations.inject(configuration, ca, signal));
      // When one write fails, the other one is still waited for.
      await Promise.allSettled(injecting);
      note(await Promise.all(injecting));
    },
    knownForMs: history.knownForMs,
    isTrusted: ({ cert }) => history.trustedForMs(cert) !== undefined,
    mustWait: (current, next) => {
      if (current === undefined || current.cert === next.cert) return false;
      const works =
        isCurrent(new X509Certificate(current.cert), now()) && history.trustedForMs(current.cert) !== undefined;
      return works && (history.trustedForMs(next.cert) ?? -1) < graceMs;
    },
  };
};
