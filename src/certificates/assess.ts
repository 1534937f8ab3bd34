/**
 * Decides what has to be done next about Belay's own certificates. Pure. The Secret alone shows the stage of a rotation, so that any replica can go on
 * where another one stopped.
 *
 *   steady      ca.crt = A        A signs
 *   published   ca.crt = A + B    A signs, B waits in next-ca.crt until every API server trusts it
 *   switched    ca.crt = B + A    B signs, A is trusted until every replica serves what B has signed
 *   steady      ca.crt = B
 */
import type { X509Certificate } from 'node:crypto';
import { holdsKey, isCurrent, isIssuedBy, isSame, readBundle, readCertificate } from './bundle.ts';
import { CLOCK_SKEW_MS, type Lifetimes, type Pauses } from './lifetimes.ts';

/** What the Secret holds, as PEM. Undefined where a key of the Secret is missing. */
export interface StoredCertificates {
  /** The authorities that the API server trusts. The first of them signs. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Missing where somebody else issues the certificates. Belay leaves such certificates alone for as long as they work. */
  readonly caKey: string | undefined;
  /** The next authority. */
  readonly nextCa?: string | undefined;
  readonly nextCaKey?: string | undefined;
  /** Somebody asks for a new authority. */
  readonly rotate?: boolean | undefined;
}

export interface Circumstances {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly dnsNames: readonly string[];
  readonly lifetimes: Lifetimes;
  readonly pauses: Pauses;
  /** For how long every webhook has carried the authority. 0 where one of them does not carry it. */
  readonly knownForMs: (authority: X509Certificate) => number;
  /** For how long the bundle has been unchanged. */
  readonly bundleForMs: number;
}

export type Stage = 'steady' | 'published' | 'switched';

export type Assessment =
  /** Serve the certificate. There may be something to wait for. */
  | { readonly state: 'good' }
  /** The authority is valid. The serving certificate is not, or not for long: sign a new one. The caBundle stays. */
  | { readonly state: 'renew'; readonly why: string }
  /** Put another authority beside the one that signs. */
  | { readonly state: 'publish'; readonly why: string }
  /** Let the next authority sign. */
  | { readonly state: 'switch'; readonly why: string }
  /** Leave only the authority that signs in the bundle. */
  | { readonly state: 'prune'; readonly why: string }
  /** Nothing can be served: make a new authority at once. */
  | { readonly state: 'replace'; readonly why: string };

export type Step = Exclude<Assessment['state'], 'good'>;

/** Go has not looked at the common name since 1.15. */
const NO_COMMON_NAME = { subject: 'never' } as const;

export const stageOf = (stored: StoredCertificates): Stage => {
  if (stored.nextCa !== undefined) return 'published';
  return (readBundle(stored.ca)?.length ?? 0) > 1 ? 'switched' : 'steady';
};

/** The lifetime of a certificate that Belay made. */
const lifeMs = (cert: X509Certificate): number =>
  cert.validToDate.getTime() - cert.validFromDate.getTime() - CLOCK_SKEW_MS;

/** A third of the lifetime is left, as in cert-manager and the kubelet. There are then months to notice that a renewal fails. */
const isLeafDue = (leaf: X509Certificate, { now, lifetimes }: Circumstances): boolean => {
  const madeMs = leaf.validFromDate.getTime() + CLOCK_SKEW_MS;
  // The shorter of the two, because the lifetime may have been shortened since.
  return now - madeMs >= (2 / 3) * Math.min(lifeMs(leaf), lifetimes.leafMs);
};

/** An authority is replaced while it still outlives the certificates that it signed. */
const isAuthorityDue = (authority: X509Certificate, { now, lifetimes }: Circumstances): boolean => {
  const madeMs = authority.validFromDate.getTime() + CLOCK_SKEW_MS;
  const forMs = Math.min(lifeMs(authority), lifetimes.authorityMs);
  return madeMs + forMs - now < Math.min(forMs / 3, 1.5 * lifetimes.leafMs);
};

/** The next authority. Undefined where it cannot sign. */
export const nextAuthority = (stored: StoredCertificates, now: number): X509Certificate | undefined => {
  const next = readCertificate(stored.nextCa);
  return next?.ca && isCurrent(next, now) && holdsKey(next, stored.nextCaKey) ? next : undefined;
};

export const assess = (stored: StoredCertificates, circumstances: Circumstances): Assessment => {
  const { now, pauses } = circumstances;
  const bundle = readBundle(stored.ca);
  const [authority] = bundle ?? [];
  const next = nextAuthority(stored, now);
  // The next authority, where there is one, has been trusted for longer than an authority that is made now.
  const startOver = (why: string): Assessment => ({ state: next === undefined ? 'replace' : 'switch', why });
  if (bundle === undefined || authority === undefined) return startOver('ca.crt is missing or cannot be read');

  const ours = [stored.caKey, stored.nextCaKey].some((key) => key !== undefined && key !== '');
  if (!isCurrent(authority, now)) return startOver('the authority is not valid at this time');
  if (ours && !authority.ca) return startOver('ca.crt is not the certificate of an authority');
  const leaf = readCertificate(stored.cert);
  const broken = leafProblem(stored, leaf, authority, circumstances, ours);
  if (!ours) return broken === undefined ? { state: 'good' } : { state: 'replace', why: broken };

  const canSign = holdsKey(authority, stored.caKey);
  if (broken !== undefined || leaf === undefined) {
    const why = broken ?? 'tls.crt is missing or cannot be read';
    return canSign ? { state: 'renew', why } : startOver(`ca.key does not belong to ca.crt, and ${why}`);
  }
  if (canSign && isLeafDue(leaf, circumstances)) {
    return { state: 'renew', why: 'two thirds of the life of the serving certificate are over' };
  }
  if (next !== undefined) {
    if (!bundle.some((cert) => isSame(cert, next)))
      return { state: 'publish', why: 'the next authority is not in ca.crt' };
    const settled = circumstances.knownForMs(next) >= pauses.settleMs;
    return settled ? { state: 'switch', why: 'every webhook trusts the next authority' } : { state: 'good' };
  }
  if (stored.nextCa !== undefined || stored.nextCaKey !== undefined) {
    return { state: 'publish', why: 'the next authority cannot be used' };
  }
  if (bundle.length > 1) {
    const over = circumstances.bundleForMs >= pauses.reloadMs;
    return over ? { state: 'prune', why: 'every replica has reloaded' } : { state: 'good' };
  }
  if (!canSign) return { state: 'publish', why: 'ca.key does not belong to ca.crt' };
  if (isAuthorityDue(authority, circumstances)) return { state: 'publish', why: 'the authority is about to expire' };
  if (stored.rotate === true) return { state: 'publish', why: 'somebody asked for a new authority' };
  return { state: 'good' };
};

/** Why the serving certificate cannot be served. */
const leafProblem = (
  stored: StoredCertificates,
  leaf: X509Certificate | undefined,
  authority: X509Certificate,
  { now, dnsNames }: Circumstances,
  ours: boolean,
): string | undefined => {
  if (leaf === undefined) return 'tls.crt is missing or cannot be read';
  if (!holdsKey(leaf, stored.key)) return 'tls.key is missing or does not belong to tls.crt';
  // A chain of somebody else may have intermediate authorities. Only Belay's own chain is checked link by link.
  if (ours && !isIssuedBy(leaf, authority)) return 'tls.crt was not signed by ca.crt';
  if (!isCurrent(leaf, now)) return 'the serving certificate is not valid at this time';
  const missing = missingName(leaf, ours ? dnsNames : dnsNames.slice(0, 1));
  return missing === undefined ? undefined : `the serving certificate is not valid for ${missing}`;
};

export const missingName = (leaf: X509Certificate, dnsNames: readonly string[]): string | undefined =>
  dnsNames.find((name) => leaf.checkHost(name, NO_COMMON_NAME) === undefined);
