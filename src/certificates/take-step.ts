/** Makes, from what the Secret holds, what it is to hold next. */
import { nextAuthority, type Step, type StoredCertificates } from './assess.ts';
import { authoritiesOf, isCurrent, joinBundle, readBundle, readCertificate, splitBundle } from './bundle.ts';
import { type IssueOptions, issueAuthority, issueLeaf, type KeyPair } from './issue.ts';

/** What a listener needs. The authority's key is not in it. */
export interface ServingCertificate extends KeyPair {
  /** The authorities that the API server is to trust. PEM. Empty where Belay does not write the caBundles. */
  readonly ca: string;
}

const NOTHING: StoredCertificates = { ca: undefined, cert: undefined, key: undefined, caKey: undefined };

/** The last two old authorities are the most that is ever needed. A bundle must not grow. */
const MAX_OLD_AUTHORITIES = 2;

/** The authorities of a certificate that may still be served somewhere. Empty where the certificate is not valid any more. */
const holding = (certificate: Partial<ServingCertificate> | StoredCertificates | undefined, now: number): string[] => {
  const chain = readBundle(certificate?.cert);
  const [leaf] = chain ?? [];
  if (chain === undefined || leaf === undefined || !isCurrent(leaf, now)) return [];
  const authorities = splitBundle(certificate?.ca ?? '')
    .map(readCertificate)
    .filter((cert) => cert !== undefined);
  return authoritiesOf(chain, authorities).map(String);
};

/** A new authority, with the old authorities whose certificates are served until every replica has reloaded. */
const withOld = (authority: string, old: readonly string[]): string => {
  const first = authority.trim();
  const others = new Set(old.map((pem) => pem.trim()));
  others.delete(first);
  return joinBundle([first, ...[...others].slice(0, MAX_OLD_AUTHORITIES)]);
};

/**
 * `stored` is undefined where there is no Secret. `served` is what this replica serves, which the Secret may no longer hold. The key of an
 * authority that no longer signs is dropped.
 */
export const takeStep = async (
  step: Step,
  stored: StoredCertificates = NOTHING,
  served: ServingCertificate | undefined,
  issue: IssueOptions,
): Promise<StoredCertificates> => {
  const { now } = issue;
  const { cert, key, caKey } = stored;
  const bundle = splitBundle(stored.ca ?? '');
  const [authority = ''] = bundle;
  const rotation = { nextCa: stored.nextCa, nextCaKey: stored.nextCaKey, rotate: stored.rotate };
  const next =
    nextAuthority(stored, now) === undefined ? undefined : { cert: stored.nextCa ?? '', key: stored.nextCaKey ?? '' };
  switch (step) {
    case 'renew':
      return { ...(await issueLeaf({ cert: authority, key: caKey ?? '' }, issue)), ca: stored.ca, caKey, ...rotation };
    case 'publish': {
      const { cert: nextCa, key: nextCaKey } = next ?? (await issueAuthority(issue));
      return { ca: joinBundle([authority, nextCa]), cert, key, caKey, nextCa, nextCaKey };
    }
    case 'prune':
      return { ca: joinBundle([authority]), cert, key, caKey, ...rotation };
    case 'switch':
    case 'replace': {
      const { cert: ca, key: newKey } = next ?? (await issueAuthority(issue));
      const old = [...holding(stored, now), ...holding(served, now)];
      return { ...(await issueLeaf({ cert: ca, key: newKey }, issue)), ca: withOld(ca, old), caKey: newKey };
    }
  }
};
