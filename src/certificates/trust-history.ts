import type { X509Certificate } from 'node:crypto';
import { authoritiesOf, readBundle, readCertificate, splitBundle } from './bundle.ts';

/** Which authorities every webhook tells the API server to trust, and for how long without a break. */
export interface TrustHistory {
  /** The caBundles (PEM) of all webhooks as they were just read. Empty where they are not known. */
  note(bundles: readonly string[]): void;
  /** 0 where one of the webhooks does not carry the authority. */
  knownForMs(authority: X509Certificate): number;
  /** For how long the authority of `chain` (PEM) has been trusted. Undefined where it is not trusted. */
  trustedForMs(chain: string): number | undefined;
}

/**
 * Time is counted by a steady clock, because no API server hears of an authority sooner when the wall clock is set. It is counted from the start of
 * the process: a replica counts only what it has seen itself.
 */
export const createTrustHistory = (steadyMs: () => number): TrustHistory => {
  let known = new Map<string, { readonly authority: X509Certificate; readonly sinceMs: number }>();
  const ageMs = (fingerprint: string): number | undefined => {
    const entry = known.get(fingerprint);
    return entry && steadyMs() - entry.sinceMs;
  };
  return {
    note(bundles) {
      const now = steadyMs();
      // As in Go, a certificate that cannot be parsed is skipped.
      const [first = [], ...others] = [...new Set(bundles)].map((pem) =>
        splitBundle(pem)
          .map(readCertificate)
          .filter((cert) => cert !== undefined),
      );
      const everywhere = first.filter(({ fingerprint256 }) =>
        others.every((bundle) => bundle.some((other) => other.fingerprint256 === fingerprint256)),
      );
      known = new Map(
        everywhere.map((authority) => {
          const { fingerprint256 } = authority;
          return [fingerprint256, known.get(fingerprint256) ?? { authority, sinceMs: now }];
        }),
      );
    },
    knownForMs: ({ fingerprint256 }) => ageMs(fingerprint256) ?? 0,
    trustedForMs(chain) {
      const authorities = [...known.values()].map(({ authority }) => authority);
      const trusting = authoritiesOf(readBundle(chain) ?? [], authorities);
      return trusting.length === 0 ? undefined : Math.max(...trusting.map((cert) => ageMs(cert.fingerprint256) ?? 0));
    },
  };
};
