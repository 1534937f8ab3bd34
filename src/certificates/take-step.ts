/** From what the Secret holds to what it is to hold next. */
import { nextAuthority, type Step, type StoredCertificates } from './assess.ts';
import { authoritiesOf, isCurrent, joinBundle, readBundle, readCertificate, splitBundle } from './bundle.ts';
import { type IssueOptions, issueAuthority, issueLeaf, type KeyPair } from './issue.ts';

/** What a listener needs. The authority's key is not in it. */
export interface ServingCertificate extends KeyPair {
  /** PEM; what the API server is to trust. Empty where that is nobody's business here. */
  readonly ca: string;
}

const NOTHING: StoredCertificates = { ca: undefined, cert: undefined, key: undefined, caKey: undefined };

/** More than the one before and the one before that are never needed, and a bundle must not grow. */
const MAX_OLD_AUTHORITIES = 2;

/** The authorities on which a certificate rests that is served somewhere and still good. */
const holding = (certificate: Partial<ServingCertificate> | StoredCertificates | undefined, now: number): string[] => {
  const chain = readBundle(certificate?.cert);
  const [leaf] = chain ?? [];
  if (chain === undefined || leaf === undefined || !isCurrent(leaf, now)) return [];
  const authorities = splitBundle(certificate?.ca ?? '')
    .map(readCertificate)
    .filter((cert) => cert !== undefined);
  return authoritiesOf(chain, authorities).map(String);
};

/** What may be served until every replica has reloaded stays trusted beside the new authority. */
const withOld = (authority: string, old: readonly string[]): string => {
  const first = authority.trim();
  const others = new Set(old.map((pem) => pem.trim()));
  others.delete(first);
  return joinBundle([first, ...[...others].slice(0, MAX_OLD_AUTHORITIES)]);
};

/**
 * `stored` is undefined where there is no Secret; `served` is what this replica serves, whatever the Secret has become. The key of an
 * authority that signs no more is dropped.
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
