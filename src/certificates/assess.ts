/** Whether a set of certificates can be served as it stands. No clock of its own, nothing stored. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { AUTHORITY_LIFETIME_MS, LEAF_LIFETIME_MS } from './issue.ts';

/** What the Secret holds, PEM each; undefined where the key is missing. */
export interface StoredCertificates {
  /** Trusted by the API server; several certificates while one authority takes over from another. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Missing where somebody else issues the certificates: Belay then leaves them alone for as long as they work. */
  readonly caKey: string | undefined;
}

export type Assessment =
  /** Serve it. */
  | { readonly state: 'good' }
  /** The authority is fine, the serving certificate is not, or not for long: sign a new one, the caBundle stays. */
  | { readonly state: 'renew'; readonly why: string }
  /** Start over with a new authority. */
  | { readonly state: 'replace'; readonly why: string };

/** Renewed when a third of the lifetime is left, as cert-manager and the kubelet do: months to notice that it does not work. */
const RENEW_LEAF_MS = LEAF_LIFETIME_MS / 3;
/** An authority is replaced while it still outlives the certificates that it signed. */
const REPLACE_AUTHORITY_MS = Math.min(AUTHORITY_LIFETIME_MS / 3, 1.5 * LEAF_LIFETIME_MS);

/** Go has not looked at the common name since 1.15. */
const NO_COMMON_NAME = { subject: 'never' } as const;

/** The certificates of a PEM bundle, in their order. */
export const splitBundle = (pem: string): readonly string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];

const parse = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    // The reason that OpenSSL gives is left out on purpose: nothing about a private key goes into a message.
    return undefined;
  }
};

const holdsKey = (cert: X509Certificate, pem: string | undefined): boolean =>
  pem !== undefined && (parse(() => cert.checkPrivateKey(createPrivateKey(pem))) ?? false);

const isCurrent = (cert: X509Certificate, now: number): boolean =>
  cert.validFromDate.getTime() <= now && now < cert.validToDate.getTime();

export const assess = (stored: StoredCertificates, now: number, dnsNames: readonly string[]): Assessment => {
  const authorities = splitBundle(stored.ca ?? '').map((pem) => parse(() => new X509Certificate(pem)));
  // The first is the one that signs; an older one may follow until nothing it signed is served any more.
  const [authority] = authorities;
  if (authority === undefined || authorities.includes(undefined)) {
    return { state: 'replace', why: 'ca.crt is missing or cannot be read' };
  }
  if (!isCurrent(authority, now)) return { state: 'replace', why: 'the authority is not valid at this time' };
  const ours = stored.caKey !== undefined && stored.caKey !== '';
  if (ours && !authority.ca) return { state: 'replace', why: 'ca.crt is not the certificate of an authority' };
  if (ours && !holdsKey(authority, stored.caKey)) return { state: 'replace', why: 'ca.key does not belong to ca.crt' };
  if (ours && authority.validToDate.getTime() - now < REPLACE_AUTHORITY_MS) {
    return { state: 'replace', why: 'the authority is about to expire' };
  }

  const whyNot = leafProblem(stored, authority, now, dnsNames, ours);
  if (whyNot === undefined) return { state: 'good' };
  return { state: ours ? 'renew' : 'replace', why: whyNot };
};

const leafProblem = (
  stored: StoredCertificates,
  authority: X509Certificate,
  now: number,
  dnsNames: readonly string[],
  ours: boolean,
): string | undefined => {
  const leaf = parse(() => new X509Certificate(stored.cert ?? ''));
  if (leaf === undefined) return 'tls.crt is missing or cannot be read';
  if (!holdsKey(leaf, stored.key)) return 'tls.key is missing or does not belong to tls.crt';
  // Somebody else's chain may have authorities in between; only our own is checked link by link.
  if (ours && !(leaf.checkIssued(authority) && leaf.verify(authority.publicKey))) {
    return 'tls.crt was not signed by ca.crt';
  }
  if (!isCurrent(leaf, now)) return 'the serving certificate is not valid at this time';
  const missing = (ours ? dnsNames : dnsNames.slice(0, 1)).find(
    (name) => leaf.checkHost(name, NO_COMMON_NAME) === undefined,
  );
  if (missing !== undefined) return `the serving certificate is not valid for ${missing}`;
  if (ours && leaf.validToDate.getTime() - now < RENEW_LEAF_MS) return 'the serving certificate is about to expire';
  return undefined;
};
