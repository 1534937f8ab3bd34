/** The Secret that all replicas share: whoever writes it first decides, and the others take what it holds. */
import type { Logger } from 'pino';
import { type Api, isConflict, isNotFound, pathOf } from '../cluster/api.ts';
import { type Assessment, assess, type StoredCertificates, splitBundle } from './assess.ts';
import { type IssuedCertificates, issueCertificates, issueLeaf } from './issue.ts';

export const CERTIFICATES_SECRET = 'belay-certificates';

/** What a listener needs. The authority's key is not in it. */
export interface ServingCertificate {
  /** PEM; what the API server is to trust. */
  readonly ca: string;
  /** PEM. */
  readonly cert: string;
  /** PEM. Private: never log it. */
  readonly key: string;
}

export interface StoreOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly dnsNames: readonly string[];
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

interface Secret {
  readonly metadata: { readonly resourceVersion?: string; readonly [field: string]: unknown };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** More than a handful of lost races in a row is no race: the caller backs off and tries again. */
const MAX_ATTEMPTS = 5;

const fromBase64 = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');

const toBase64 = (value: string): string => Buffer.from(value, 'utf8').toString('base64');

const readStored = (secret: Secret): StoredCertificates => ({
  ca: fromBase64(secret.data?.['ca.crt']),
  cert: fromBase64(secret.data?.['tls.crt']),
  key: fromBase64(secret.data?.['tls.key']),
  caKey: fromBase64(secret.data?.['ca.key']),
});

const toData = (issued: IssuedCertificates): Record<string, string> => ({
  'tls.crt': toBase64(issued.cert),
  'tls.key': toBase64(issued.key),
  'ca.crt': toBase64(issued.ca),
  'ca.key': toBase64(issued.caKey),
});

/** A new authority is trusted beside the old one, so that replicas which have not reloaded yet are still believed. */
const withOldAuthority = (issued: IssuedCertificates, stored: StoredCertificates, options: StoreOptions) => {
  const [old] = splitBundle(stored.ca ?? '');
  const worked = assess({ ...stored, caKey: undefined }, options.now(), options.dnsNames).state === 'good';
  return old !== undefined && worked ? { ...issued, ca: `${issued.ca.trimEnd()}\n${old}\n` } : issued;
};

const reissue = async (stored: StoredCertificates, verdict: Assessment, options: StoreOptions) => {
  const issue = { now: options.now(), dnsNames: options.dnsNames };
  const { caKey } = stored;
  const [authority] = splitBundle(stored.ca ?? '');
  if (verdict.state === 'renew' && authority !== undefined && caKey !== undefined) {
    // An older authority in the bundle has had its time: nothing that it signed is served any more.
    return { ...(await issueLeaf({ cert: authority, key: caKey }, issue)), ca: `${authority}\n`, caKey };
  }
  return withOldAuthority(await issueCertificates(issue), stored, options);
};

/**
 * Resolves to the certificates in the Secret, after making, renewing or replacing them where needed. Replicas may call this at the same
 * time: a create that comes second (AlreadyExists) and an update of what has changed meanwhile (Conflict, by resourceVersion) read again.
 */
export const ensureCertificates = async (options: StoreOptions): Promise<ServingCertificate> => {
  const { api, namespace, log } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const collection = pathOf('api', 'v1', 'namespaces', namespace, 'secrets');
  const path = `${collection}/${CERTIFICATES_SECRET}`;
  const secret = { namespace, name: CERTIFICATES_SECRET };

  let lost: unknown;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    try {
      const found = await api.request<Secret>({ path, ...signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (found === undefined) {
        const issued = await issueCertificates({ now: options.now(), dnsNames: options.dnsNames });
        await api.request({
          method: 'POST',
          path: collection,
          body: {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: CERTIFICATES_SECRET, labels: { 'app.kubernetes.io/name': 'belay' } },
            type: 'kubernetes.io/tls',
            data: toData(issued),
          },
          ...signal,
        });
        log.info({ secret }, 'made a certificate authority and a serving certificate');
        return { ca: issued.ca, cert: issued.cert, key: issued.key };
      }
      const stored = readStored(found);
      const verdict = assess(stored, options.now(), options.dnsNames);
      if (verdict.state === 'good') {
        return { ca: stored.ca ?? '', cert: stored.cert ?? '', key: stored.key ?? '' };
      }
      const issued = await reissue(stored, verdict, options);
      // A PUT of the whole Secret with its resourceVersion: the API server refuses it if anybody wrote in between.
      await api.request({ method: 'PUT', path, body: { ...found, data: toData(issued) }, ...signal });
      log.warn({ secret, why: verdict.why }, `${verdict.state === 'renew' ? 'renewed' : 'replaced'} the certificates`);
      return { ca: issued.ca, cert: issued.cert, key: issued.key };
    } catch (error) {
      if (!isConflict(error)) throw error;
      lost = error;
    }
  }
  throw lost;
};
