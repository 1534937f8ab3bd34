import { generateKeyPair, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import forge from 'node-forge';

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface Pki {
  readonly caCertificate: string;
  /** A client certificate: `name` is the user, `groups` are its groups, and RBAC decides all else. */
  client(name: string, groups: readonly string[]): Certificate;
  /** Files for the programs' flags. */
  readonly files: Readonly<Record<'ca' | 'serving' | 'servingKey' | 'serviceAccountKey', string>>;
}

const validDays = 365;
const fileNames = {
  ca: 'ca.crt',
  caKey: 'ca.key',
  serving: 'apiserver.crt',
  servingKey: 'apiserver.key',
  clientKey: 'client.key',
  serviceAccountKey: 'service-account.key',
} as const;

/** Makes the cluster's keys and certificates in `dir`. */
export async function createPki(dir: string, { servingNames }: { servingNames: readonly string[] }): Promise<Pki> {
  const [caKey, servingKey, clientKey, serviceAccountKey] = await Promise.all(Array.from({ length: 4 }, generateKey));
  if (!caKey || !servingKey || !clientKey || !serviceAccountKey) throw new Error('unreachable: four keys were made');
  const ca = sign({ subject: [['commonName', 'belay-test-ca']], key: caKey, issuer: null });
  const issuer = { certificate: ca, key: caKey };
  const serving = sign({ subject: [['commonName', 'kube-apiserver']], key: servingKey, issuer, servingNames });
  const contents = { ca, caKey, serving, servingKey, clientKey, serviceAccountKey };
  for (const [name, file] of Object.entries(fileNames)) {
    await writeFile(join(dir, file), contents[name as keyof typeof contents], { mode: 0o600 });
  }
  return openPki(dir);
}

export async function openPki(dir: string): Promise<Pki> {
  const read = (name: keyof typeof fileNames) => readFile(join(dir, fileNames[name]), 'utf8');
  const [caCertificate, caKey, key] = await Promise.all([read('ca'), read('caKey'), read('clientKey')]);
  return {
    caCertificate,
    // One key for all clients: a key takes long to make, and who a client is, its certificate says.
    client: (name, groups) => ({
      key,
      certificate: sign({
        subject: [...groups.map((group): [string, string] => ['organizationName', group]), ['commonName', name]],
        key,
        issuer: { certificate: caCertificate, key: caKey },
      }),
    }),
    files: {
      ca: join(dir, fileNames.ca),
      serving: join(dir, fileNames.serving),
      servingKey: join(dir, fileNames.servingKey),
      serviceAccountKey: join(dir, fileNames.serviceAccountKey),
    },
  };
}

async function generateKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return privateKey;
}

interface Signing {
  subject: readonly (readonly [name: string, value: string])[];
  key: string;
  /** null: itself. */
  issuer: Certificate | null;
  servingNames?: readonly string[];
}

function sign({ subject, key, issuer, servingNames }: Signing): string {
  const certificate = forge.pki.createCertificate();
  const privateKey = forge.pki.privateKeyFromPem(key);
  certificate.publicKey = forge.pki.setRsaPublicKey(privateKey.n, privateKey.e);
  // Positive, and in DER's shortest form: Go refuses a certificate whose serial number begins with a zero byte too many.
  certificate.serialNumber = `4${randomBytes(16).toString('hex').slice(1)}`;
  const nowMs = Date.now();
  certificate.validity.notBefore = new Date(nowMs - 60_000);
  certificate.validity.notAfter = new Date(nowMs + validDays * 24 * 3600_000);
  const attributes = subject.map(([name, value]) => ({
    name,
    value,
    valueTagClass: forge.asn1.Type.UTF8 as unknown as forge.asn1.Class,
  }));
  certificate.setSubject(attributes);
  certificate.setIssuer(issuer ? forge.pki.certificateFromPem(issuer.certificate).subject.attributes : attributes);
  certificate.setExtensions(
    issuer === null
      ? [
          { name: 'basicConstraints', cA: true, critical: true },
          { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
          { name: 'subjectKeyIdentifier' },
        ]
      : [
          { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
          { name: 'extKeyUsage', serverAuth: servingNames !== undefined, clientAuth: servingNames === undefined },
          ...(servingNames
            ? [
                {
                  name: 'subjectAltName',
                  altNames: servingNames.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
                },
              ]
            : []),
        ],
  );
  certificate.sign(forge.pki.privateKeyFromPem(issuer?.key ?? key), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}
