import { X509Certificate } from 'node:crypto';
import { showName } from '../../admission/escape.ts';
import { splitBundle } from '../../certificates/assess.ts';
import { CERTIFICATES_SECRET } from '../../certificates/store.ts';
import { pathOf } from '../../cluster/api.ts';
import { type Answer, ask } from './ask.ts';
import { atMost, count, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';
import type { Webhook } from './shipped.ts';

/** The public half of what Belay serves. Its keys are not even taken out of the Secret. */
export interface Served {
  /** The serving certificate, and the authorities between it and the one that is trusted. */
  readonly chain: readonly X509Certificate[];
  readonly authorities: readonly X509Certificate[];
  /** As the API server is to be told it: PEM. */
  readonly ca: string;
}

interface Secret {
  readonly data?: Readonly<Record<string, string>>;
}

const DAY_MS = 86_400_000;

/** Belay renews at a third of the life, months before: so little left means that nobody does. */
const LEAF_SHORT_MS = 30 * DAY_MS;
const AUTHORITY_SHORT_MS = 90 * DAY_MS;

/** Undefined where one of them cannot be read. */
const readBundle = (pem: string): readonly X509Certificate[] | undefined => {
  try {
    const certificates = splitBundle(pem).map((text) => new X509Certificate(text));
    return certificates.length === 0 ? undefined : certificates;
  } catch {
    return undefined;
  }
};

const fromBase64 = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('utf8');

const toServed = ({ data }: Secret): Served | undefined => {
  const [cert, ca] = [fromBase64(data?.['tls.crt']), fromBase64(data?.['ca.crt'])];
  const [chain, authorities] = [readBundle(cert), readBundle(ca)];
  return chain === undefined || authorities === undefined ? undefined : { chain, authorities, ca };
};

const isIssuedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);

/** The one of these authorities that the chain leads to. */
const trustedBy = (
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): X509Certificate | undefined => {
  for (const [at, certificate] of chain.entries()) {
    const found = authorities.find((authority) => isIssuedBy(certificate, authority));
    if (found !== undefined) return found;
    const next = chain[at + 1];
    if (next === undefined || !isIssuedBy(certificate, next)) return undefined;
  }
  return undefined;
};

const days = (ms: number): string => count(Math.max(0, Math.floor(ms / DAY_MS)), 'day');

const daysLeft = (certificate: X509Certificate, nowMs: number): number => certificate.validToDate.getTime() - nowMs;

const START_OVER = (namespace: string): string => `kubectl delete secret ${CERTIFICATES_SECRET} -n ${namespace}`;

/** Whether what Belay serves is valid now, for the name that the API server calls, and for how long. */
export const judgeServed = (served: Served, dnsName: string, namespace: string, nowMs: number): Finding => {
  const check = 'certificate';
  const { chain, authorities } = served;
  const broken = (says: string): Finding => ({ check, state: 'fail', says, next: START_OVER(namespace) });
  const [leaf] = chain;
  const authority = trustedBy(chain, authorities);
  if (leaf === undefined || authority === undefined)
    return broken('the serving certificate was not signed by the authority beside it');
  const [left, authorityLeft] = [daysLeft(leaf, nowMs), daysLeft(authority, nowMs)];
  if (left <= 0) return broken(`the serving certificate has expired ${days(-left)} ago`);
  if (authorityLeft <= 0) return broken(`the authority's certificate has expired ${days(-authorityLeft)} ago`);
  if (leaf.validFromDate.getTime() > nowMs) return broken('the serving certificate is not valid yet');
  if (leaf.checkHost(dnsName, { subject: 'never' }) === undefined)
    return broken(`the serving certificate is not valid for ${showName(dnsName)}, by which the API server calls`);
  const says = `valid for ${showName(dnsName)} for ${days(left)} more, its authority for ${days(authorityLeft)}`;
  if (left >= LEAF_SHORT_MS && authorityLeft >= AUTHORITY_SHORT_MS) return { check, state: 'ok', says };
  return {
    check,
    state: 'warn',
    says: `${says}: it should have been renewed before`,
    next: `kubectl logs -n ${namespace} -l app.kubernetes.io/name=belay --tail=100`,
  };
};

/** Whether the API server trusts what Belay serves: each webhook says so for itself. */
export const judgeBundles = (webhooks: readonly Webhook[], served: Served | undefined, nowMs: number): Finding => {
  const check = 'caBundle';
  const [broken, stale]: [string[], string[]] = [[], []];
  for (const { name, clientConfig } of webhooks) {
    const pem = fromBase64(clientConfig?.caBundle);
    const bundle = readBundle(pem);
    const shown = showName(name);
    if (!clientConfig?.caBundle) broken.push(`${shown} has none`);
    else if (bundle === undefined) broken.push(`${shown}: it cannot be read`);
    else if (bundle.every((authority) => daysLeft(authority, nowMs) <= 0)) broken.push(`${shown}: it has expired`);
    else if (served !== undefined && trustedBy(served.chain, bundle) === undefined)
      broken.push(`${shown}: it is another authority's than the one that signed what Belay serves`);
    else if (served !== undefined && pem.trim() !== served.ca.trim())
      stale.push(`${shown}: it is not yet what the Secret says`);
  }
  const next = 'kubectl rollout restart deployment -l app.kubernetes.io/name=belay';
  if (broken.length > 0)
    return {
      check,
      state: 'fail',
      says: `the API server cannot trust Belay at ${broken.length} of ${count(webhooks.length, 'webhook')}`,
      details: atMost(broken),
      next,
    };
  if (stale.length > 0)
    return {
      check,
      state: 'warn',
      says: 'Belay is trusted, but the bundles are not the newest: Belay writes them within seconds',
      details: atMost(stale),
      next,
    };
  const all = `all ${webhooks.length} webhooks`;
  const says =
    served === undefined ? `${all} have one; what Belay serves may not be read` : `${all} trust what Belay serves`;
  return { check, state: 'ok', says };
};

const serve = async ({ api, place, nowMs }: Patient): Promise<{ finding: Finding; served: Served | undefined }> => {
  const { namespace, service } = place;
  const path = pathOf('api', 'v1', 'namespaces', namespace, 'secrets', CERTIFICATES_SECRET);
  const answer: Answer<Secret> = await ask<Secret>(api, { path });
  const check = 'certificate';
  if (answer.state === 'unread')
    return { finding: { check, state: 'skip', says: `not checked: ${answer.why}` }, served: undefined };
  const shown = `Secret ${CERTIFICATES_SECRET} in namespace ${showName(namespace)}`;
  if (answer.state === 'missing') {
    const says = `there is no ${shown}: Belay has not made one yet`;
    return { finding: { check, state: 'fail', says, next: `kubectl get pods -n ${namespace}` }, served: undefined };
  }
  const served = toServed(answer.value);
  if (served === undefined) {
    const says = `the certificates in ${shown} cannot be read`;
    return { finding: { check, state: 'fail', says, next: START_OVER(namespace) }, served: undefined };
  }
  return { finding: judgeServed(served, `${service}.${namespace}.svc`, namespace, nowMs), served };
};

export const checkTrust = async (patient: Patient): Promise<readonly Finding[]> => {
  const { finding, served } = await serve(patient);
  const { validating, mutating, nowMs, place } = patient;
  const webhooks = [validating, mutating].flatMap((answer) =>
    answer.state === 'read' ? (answer.value.webhooks ?? []) : [],
  );
  // That they are missing, or may not be read, is said already.
  if (webhooks.length === 0) return [finding];
  const bundles = judgeBundles(webhooks, served, nowMs);
  return [
    finding,
    bundles.next === undefined ? bundles : { ...bundles, next: `${bundles.next} -n ${place.namespace}` },
  ];
};
