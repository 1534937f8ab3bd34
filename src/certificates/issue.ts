/** Makes a certificate authority, and the serving certificates that it signs. PEM in, PEM out. It has no clock and stores nothing. */
import { randomBytes } from 'node:crypto';
import forge from 'node-forge';
import { CLOCK_SKEW_MS, DEFAULT_LIFETIMES, type Lifetimes } from './lifetimes.ts';

export interface Authority {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS#8. Private. */
  readonly key: string;
}

export interface KeyPair {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS#8. Private. */
  readonly key: string;
}

export interface IssuedCertificates extends KeyPair {
  /** The certificate that a client has to trust. PEM. */
  readonly ca: string;
  /** The private key of the authority. With it, the serving certificate can be renewed without a new caBundle. */
  readonly caKey: string;
}

export interface IssueOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly dnsNames: readonly string[];
  /** Default: ten years for the authority, one year for the serving certificate. */
  readonly lifetimes?: Lifetimes;
  /** Default: keys from node:crypto. */
  readonly generateKeys?: () => Promise<forge.pki.rsa.KeyPair>;
  /** Random bytes for serial numbers. Default: from node:crypto. */
  readonly random?: (bytes: number) => Uint8Array;
}

/** RFC 9325 asks for 2048 bits at least. A handshake is signed five times faster than with 4096. */
const KEY_BITS = 2048;

// With a callback, forge asks node:crypto, off this thread and in a tenth of the time of its own prime search.
const generateKeys = (): Promise<forge.pki.rsa.KeyPair> =>
  new Promise((resolve, reject) => {
    forge.pki.rsa.generateKeyPair({ bits: KEY_BITS }, (error, keys) => (error ? reject(error) : resolve(keys)));
  });

/**
 * 16 random bytes, as RFC 5280 4.1.2.2 wants them: positive (top bit clear), and in DER's shortest form (first byte not zero).
 * Random, because a client that knows two certificates of one issuer with the same serial refuses both.
 */
const serialNumber = (random: (bytes: number) => Uint8Array): string => {
  const bytes = Buffer.from(random(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
};

/** forge ends lines with CR LF. With LF alone, bundles can be joined, split and compared as text. */
const withoutCr = (pem: string): string => pem.replaceAll('\r', '');

const toPem = (cert: forge.pki.Certificate): string => withoutCr(forge.pki.certificateToPem(cert));

const toPkcs8 = (key: forge.pki.rsa.PrivateKey): string =>
  withoutCr(forge.pki.privateKeyInfoToPem(forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key))));

const keyIdentifier = (key: forge.pki.PublicKey): string =>
  forge.pki.getPublicKeyFingerprint(key, { type: 'RSAPublicKey' }).getBytes();

const draft = (keys: forge.pki.rsa.KeyPair, options: IssueOptions, lifetimeMs: number): forge.pki.Certificate => {
  const cert = forge.pki.createCertificate();
  cert.publicKey = keys.publicKey;
  cert.serialNumber = serialNumber(options.random ?? randomBytes);
  cert.validity.notBefore = new Date(options.now - CLOCK_SKEW_MS);
  cert.validity.notAfter = new Date(options.now + lifetimeMs);
  return cert;
};

export const issueAuthority = async (options: Omit<IssueOptions, 'dnsNames'>): Promise<Authority> => {
  const keys = await (options.generateKeys ?? generateKeys)();
  const cert = draft(keys, { ...options, dnsNames: [] }, (options.lifetimes ?? DEFAULT_LIFETIMES).authorityMs);
  // Each authority has a name of its own. Where two authorities are trusted, a verifier picks the issuer by its name first.
  const name = [{ name: 'commonName', value: `belay-ca-${cert.serialNumber.slice(0, 12)}` }];
  cert.setSubject(name);
  cert.setIssuer(name);
  cert.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  cert.sign(keys.privateKey, forge.md.sha256.create());
  return { cert: toPem(cert), key: toPkcs8(keys.privateKey) };
};

/** A new serving certificate with a new key, signed by `authority`. */
export const issueLeaf = async (authority: Authority, options: IssueOptions): Promise<KeyPair> => {
  const issuer = forge.pki.certificateFromPem(authority.cert);
  const keys = await (options.generateKeys ?? generateKeys)();
  const cert = draft(keys, options, (options.lifetimes ?? DEFAULT_LIFETIMES).leafMs);
  if (cert.validity.notAfter > issuer.validity.notAfter) cert.validity.notAfter = issuer.validity.notAfter;
  cert.setSubject([{ name: 'commonName', value: 'belay' }]);
  cert.setIssuer(issuer.subject.attributes);
  cert.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    // 2 is dNSName (RFC 5280 4.2.1.6). The API server looks at these names only: Go ignores the common name.
    { name: 'subjectAltName', altNames: options.dnsNames.map((value) => ({ type: 2, value })) },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifier(issuer.publicKey) },
  ]);
  const issuerKey = forge.pki.privateKeyFromPem(authority.key);
  cert.sign(issuerKey, forge.md.sha256.create());
  return { cert: toPem(cert), key: toPkcs8(keys.privateKey) };
};

/** A new authority with a serving certificate, for a first start. */
export const issueCertificates = async (options: IssueOptions): Promise<IssuedCertificates> => {
  const authority = await issueAuthority(options);
  const leaf = await issueLeaf(authority, options);
  return { ...leaf, ca: authority.cert, caKey: authority.key };
};

/** The names under which the API server, and people inside the cluster, reach the Service. The API server verifies the first one. */
export const serviceDnsNames = (service: string, namespace: string): readonly string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
  `${service}.${namespace}`,
];
