import { escapeText, showName } from '../../text/escape.ts';

/** A call of a webhook that got no answer, in the words of the API server and in plain words. */
export interface FailedCall {
  readonly webhook: string;
  /** The message of the API server, without the URL. */
  readonly said: string;
  readonly means: string;
}

/** The message of k8s.io/apiserver webhook/errors.go. Go's net and crypto/tls write the rest of it. */
const FAILED = /failed calling webhook "([^"]{1,253})": (.*)$/s;

const MEANINGS: readonly (readonly [pattern: RegExp, means: string])[] = [
  [/connection refused/, 'nobody listens where the Service leads: Belay is not running, or on another port'],
  [/no endpoints available/, 'no Pod of Belay is ready'],
  [/service "[^"]*" not found/, 'the Service that the webhook names is not there'],
  [
    /x509: certificate signed by unknown authority/,
    "the caBundle is another authority's: Belay puts it right unless it may not",
  ],
  [/x509: certificate has expired or is not yet valid/, 'the certificate has expired, or a clock is wrong'],
  [/x509: certificate is (valid for|not valid for)/, 'the certificate is for another name than that of the Service'],
  [/x509|tls:/, 'TLS failed: the certificate of Belay and the caBundle of the webhook do not fit together'],
  [/no such host/, 'the name of the Service cannot be resolved'],
  [
    /no route to host|network is unreachable/,
    'the network of the API server does not lead to Pods: a firewall or a missing route',
  ],
  [
    /context deadline exceeded|i\/o timeout|Client\.Timeout/,
    'no answer in time: Belay is overloaded, or a firewall or NetworkPolicy drops the connection',
  ],
  [/EOF|connection reset/, 'the connection broke off: Belay was just ending, or something in between closed it'],
  [/the server could not find the requested resource|404/, 'something else than Belay answers there'],
];

/** Undefined: the error is not about a call of a webhook. */
export const explainFailedCall = (message: string): FailedCall | undefined => {
  const [, webhook, rest = ''] = FAILED.exec(message) ?? [];
  if (webhook === undefined) return undefined;
  const said = rest.replace(/^failed to call webhook: /, '').replace(/^\w+ "[^"]*": /, '');
  const means = MEANINGS.find(([pattern]) => pattern.test(rest))?.[1] ?? 'Belay could not be called';
  return { webhook: showName(webhook), said: escapeText(said, 300), means };
};
