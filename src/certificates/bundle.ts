/** Reads certificates, and tells which authorities a certificate leads to. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

/** The certificates of a PEM bundle, in their order. */
export const splitBundle = (pem: string): readonly string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];

/** The bundle in one form, so that bundles can be compared as text. */
export const joinBundle = (certificates: readonly string[]): string =>
  certificates.map((pem) => `${pem.trim()}\n`).join('');

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    // OpenSSL's reason is left out on purpose: nothing about a private key may get into a message.
    return undefined;
  }
};

/** The first certificate of a PEM text. */
export const readCertificate = (pem: string | undefined): X509Certificate | undefined =>
  pem === undefined ? undefined : attempt(() => new X509Certificate(pem));

/** Undefined where there is no certificate, or where one of them cannot be read. */
export const readBundle = (pem: string | undefined): readonly X509Certificate[] | undefined => {
  const certificates = splitBundle(pem ?? '').map(readCertificate);
  const readable = certificates.filter((certificate) => certificate !== undefined);
  return readable.length > 0 && readable.length === certificates.length ? readable : undefined;
};

export const holdsKey = (cert: X509Certificate, pem: string | undefined): boolean =>
  pem !== undefined && (attempt(() => cert.checkPrivateKey(createPrivateKey(pem))) ?? false);

export const isCurrent = (cert: X509Certificate, now: number): boolean =>
  cert.validFromDate.getTime() <= now && now < cert.validToDate.getTime();

export const isIssuedBy = (cert: X509Certificate, authority: X509Certificate): boolean =>
  cert.checkIssued(authority) && cert.verify(authority.publicKey);

export const isSame = (one: X509Certificate, other: X509Certificate): boolean =>
  one.fingerprint256 === other.fingerprint256;

/** The authorities to which the first certificate of a chain leads. The others in the chain are the intermediate ones that are served with it. */
export const authoritiesOf = (
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): readonly X509Certificate[] => {
  let [link] = chain;
  for (let length = 0; link !== undefined && length < chain.length; length += 1) {
    const from = link;
    const found = authorities.filter((authority) => isSame(from, authority) || isIssuedBy(from, authority));
    if (found.length > 0) return found;
    link = chain.find((other) => !isSame(other, from) && isIssuedBy(from, other));
  }
  return [];
};
