import type { X509Certificate } from 'node:crypto';
import { authoritiesOf, readBundle, readCertificate, splitBundle } from './bundle.ts';

/** Which authorities the API server has been told to trust, by every webhook, and for how long without a break. */
export interface TrustHistory {
  /** The caBundles (PEM) of all webhooks as they were just read; none where they are not known. */
  note(bundles: readonly string[]): void;
  /** 0 where a webhook does not carry it. */
  knownForMs(authority: X509Certificate): number;
  /** For how long what `chain` (PEM) leads to has been trusted; undefined where it is not. */
  trustedForMs(chain: string): number | undefined;
}

/**
 * Time is that of a steady clock: a step of the wall clock makes nobody hear of an authority. It begins with the process, so that
 * what a replica has not seen itself does not count.
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
      // As Go reads a bundle: what cannot be parsed is passed over.
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
