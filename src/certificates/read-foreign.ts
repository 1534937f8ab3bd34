/** Whether a Secret that somebody else keeps, such as cert-manager, holds a certificate that can be served. */
import { missingName, type StoredCertificates } from './assess.ts';
import { authoritiesOf, holdsKey, isCurrent, readBundle } from './bundle.ts';
import type { ServingCertificate } from './take-step.ts';

export type Foreign =
  | { readonly ok: true; readonly certificate: ServingCertificate }
  | { readonly ok: false; readonly problem: string };

export interface ForeignOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The name that the API server verifies. */
  readonly dnsName: string;
  /** Whether Belay injects ca.crt, where there is one. */
  readonly inject: boolean;
}

export const readForeign = (stored: StoredCertificates | undefined, options: ForeignOptions): Foreign => {
  const problem = problemOf(stored, options);
  if (stored === undefined || problem !== undefined)
    return { ok: false, problem: problem ?? 'there is no such Secret' };
  const { ca = '', cert = '', key = '' } = stored;
  return { ok: true, certificate: { ca: options.inject ? ca : '', cert, key } };
};

const problemOf = (stored: StoredCertificates | undefined, options: ForeignOptions): string | undefined => {
  if (stored === undefined) return 'there is no such Secret';
  const chain = readBundle(stored.cert);
  const [leaf] = chain ?? [];
  if (chain === undefined || leaf === undefined) return 'tls.crt is missing or cannot be read';
  if (!holdsKey(leaf, stored.key)) return 'tls.key is missing or does not belong to tls.crt';
  if (!isCurrent(leaf, options.now)) return 'the serving certificate is not valid at this time';
  if (missingName(leaf, [options.dnsName]) !== undefined) {
    return `the serving certificate is not valid for ${options.dnsName}`;
  }
  if (!options.inject || stored.ca === undefined) return undefined;
  const authorities = readBundle(stored.ca);
  if (authorities === undefined) return 'ca.crt cannot be read';
  // With this ca.crt in the caBundle, the API server would refuse the certificate that is served.
  return authoritiesOf(chain, authorities).length === 0 ? 'tls.crt was not signed by ca.crt' : undefined;
};
