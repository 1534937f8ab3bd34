import type { X509Certificate } from 'node:crypto';
import { authoritiesOf, readBundle } from '../../certificates/bundle.ts';
import { pathOf } from '../../kubernetes/api.ts';
import { showName } from '../../text/escape.ts';
import { ask } from './ask.ts';
import type { CheckContext } from './check-context.ts';
import { atMost, count, type Finding } from './finding.ts';
import type { Webhook } from './shipped.ts';
import { BELAY_SELECTOR } from './workload-objects.ts';

interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** The certificates that Belay serves with. Their keys are never taken out of the Secret. */
export interface Served {
  /** The serving certificate, and the authorities between it and the trusted authority. */
  readonly chain: readonly X509Certificate[];
  /** The authorities for the caBundle. Undefined: the Secret does not name them. */
  readonly authorities: readonly X509Certificate[] | undefined;
}

interface Secret {
  readonly data?: Readonly<Record<string, string>>;
}

const DAY_MS = 86_400_000;

/** Belay and cert-manager renew when a third of the lifetime is left. With less than a quarter left, renewal has failed. */
const SHORT = 1 / 4;

const fromBase64 = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('utf8');

const toServed = ({ data }: Secret): Served | undefined => {
  const [cert, ca] = [fromBase64(data?.['tls.crt']), fromBase64(data?.['ca.crt'])];
  const [chain, authorities] = [readBundle(cert), readBundle(ca)];
  return chain === undefined || (authorities === undefined && ca !== '') ? undefined : { chain, authorities };
};

const lifeOf = ({ validFromDate, validToDate }: X509Certificate): number =>
  validToDate.getTime() - validFromDate.getTime();

const days = (ms: number): string => count(Math.max(0, Math.floor(ms / DAY_MS)), 'day');

const daysLeft = (certificate: X509Certificate, nowMs: number): number => certificate.validToDate.getTime() - nowMs;

/** Judges the serving certificate: whether it is valid now and for the name that the API server calls, and for how long. */
export const judgeServed = (served: Served, dnsName: string, secret: SecretName, nowMs: number): Finding => {
  const check = 'certificate';
  const { chain, authorities } = served;
  const next = `kubectl get secret ${showName(secret.name)} -n ${showName(secret.namespace)}`;
  const broken = (says: string): Finding => ({ check, state: 'fail', says, next });
  const [leaf] = chain;
  if (leaf === undefined) return broken('there is no serving certificate');
  const left = daysLeft(leaf, nowMs);
  if (left <= 0) return broken(`the serving certificate has expired ${days(-left)} ago`);
  if (leaf.validFromDate.getTime() > nowMs) return broken('the serving certificate is not valid yet');
  if (leaf.checkHost(dnsName, { subject: 'never' }) === undefined)
    return broken(`the serving certificate is not valid for ${showName(dnsName)}, by which the API server calls`);
  const authority = authorities && authoritiesOf(chain, authorities)[0];
  if (authorities !== undefined && authority === undefined)
    return broken('the serving certificate was not signed by the authority beside it');
  const authorityLeft = authority === undefined ? undefined : daysLeft(authority, nowMs);
  if (authorityLeft !== undefined && authorityLeft <= 0)
    return broken(`the certificate of the authority has expired ${days(-authorityLeft)} ago`);
  const further = authorityLeft === undefined ? '' : `, its authority for ${days(authorityLeft)}`;
  const says = `valid for ${showName(dnsName)} for ${days(left)} more${further}`;
  if (left >= SHORT * lifeOf(leaf) && (authorityLeft ?? left) >= left) return { check, state: 'ok', says };
  return { check, state: 'warn', says: `${says}: it should have been renewed before`, next };
};

const isSameBundle = (one: readonly X509Certificate[], other: readonly X509Certificate[]): boolean =>
  one.map(({ fingerprint256 }) => fingerprint256).join() === other.map(({ fingerprint256 }) => fingerprint256).join();

/**
 * Judges the caBundle of each webhook: whether the API server trusts Belay's certificate by it. For a webhook without a caBundle, the API
 * server uses the authorities of its own machine. That is intended with `--ca-bundle=leave`.
 */
export const judgeBundles = (
  webhooks: readonly Webhook[],
  served: Served | undefined,
  nowMs: number,
  areInjected = true,
): Finding => {
  const check = 'caBundle';
  const [broken, stale]: [string[], string[]] = [[], []];
  for (const { name, clientConfig } of webhooks) {
    const pem = fromBase64(clientConfig?.caBundle);
    const bundle = readBundle(pem);
    const shown = showName(name);
    if (!clientConfig?.caBundle) {
      if (areInjected) broken.push(`${shown} has none`);
    } else if (bundle === undefined) broken.push(`${shown}: it cannot be read`);
    else if (bundle.every((authority) => daysLeft(authority, nowMs) <= 0)) broken.push(`${shown}: it has expired`);
    else if (served !== undefined && authoritiesOf(served.chain, bundle).length === 0)
      broken.push(`${shown}: it is another authority's than the one that signed what Belay serves`);
    else if (served?.authorities !== undefined && !isSameBundle(bundle, served.authorities))
      stale.push(`${shown}: it is not yet what the Secret says`);
  }
  const next = `kubectl rollout restart deployment -l ${BELAY_SELECTOR}`;
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

const serve = async ({
  api,
  place,
  nowMs,
  certificates: { secret: name },
}: CheckContext): Promise<{ finding: Finding; served: Served | undefined }> => {
  const { namespace, service } = place;
  const answer = await ask<Secret>(api, { path: pathOf('api', 'v1', 'namespaces', namespace, 'secrets', name) });
  const check = 'certificate';
  if (answer.state === 'unread')
    return { finding: { check, state: 'skip', says: `not checked: ${answer.why}` }, served: undefined };
  const shown = `Secret ${showName(name)} in namespace ${showName(namespace)}`;
  const next = `kubectl logs -n ${showName(namespace)} -l ${BELAY_SELECTOR} --tail=100`;
  const broken = (says: string) => ({ finding: { check, state: 'fail', says, next } as const, served: undefined });
  if (answer.state === 'missing') return broken(`there is no ${shown}, of which Belay serves`);
  const served = toServed(answer.value);
  if (served === undefined) return broken(`the certificates in ${shown} cannot be read`);
  return { finding: judgeServed(served, `${service}.${namespace}.svc`, { namespace, name }, nowMs), served };
};

export const checkTrust = async (context: CheckContext): Promise<readonly Finding[]> => {
  const { finding, served } = await serve(context);
  const { validating, mutating, nowMs, place, certificates } = context;
  const webhooks = [validating, mutating].flatMap((answer) =>
    answer.state === 'read' ? (answer.value.webhooks ?? []) : [],
  );
  // Another check already says that the webhooks are missing or may not be read.
  if (webhooks.length === 0) return [finding];
  const bundles = judgeBundles(webhooks, served, nowMs, certificates.areInjected);
  return [
    finding,
    bundles.next === undefined ? bundles : { ...bundles, next: `${bundles.next} -n ${place.namespace}` },
  ];
};
