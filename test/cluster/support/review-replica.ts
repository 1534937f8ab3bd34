import { Agent, fetch } from 'undici';
import type { BelayReplica } from '../harness/control-plane.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** What a replica says to a review, without its words: those may change. */
export interface Decision {
  readonly allowed: boolean;
  readonly code?: string;
  /** Of what a policy let pass. */
  readonly waived?: readonly string[];
  readonly patch?: unknown;
}

interface Answer {
  readonly response: {
    readonly allowed: boolean;
    readonly status?: {
      readonly message?: string;
      readonly details?: { readonly causes?: readonly { reason: string }[] };
    };
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
    readonly patch?: string;
  };
}

/** Those of today differ from run to run; 2001 and 2099 are in the past and to come, always. */
const withoutTimes = (text: string): string => text.replace(/20(?!01|99)\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>');

const agent = new Agent({ connect: { rejectUnauthorized: false } });

type Request = Readonly<Record<string, unknown>>;

/**
 * Asks one replica, past the API server: nothing is written, for the review says that it is a dry run. Of an object it does not say so: Belay lets a
 * dry run of an object pass with a warning, and writes nothing for an object but its holder's sign of life. An answer by its deadline, on a machine
 * that is too busy, is no decision: it is asked again.
 */
export const askReplica = (replica: BelayReplica, path: '/validate' | '/mutate', request: Request): Promise<Decision> =>
  waitUntil('a decision', () => askOnce(replica, path, request));

const askOnce = async (
  { url }: BelayReplica,
  path: '/validate' | '/mutate',
  request: Request,
): Promise<Decision | undefined> => {
  const dryRun = (request.kind as { kind: string }).kind !== 'ConfigMap';
  const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { ...request, dryRun } };
  const answer = await fetch(`${url}${path}?timeout=10s`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    dispatcher: agent,
  });
  const { response } = (await answer.json()) as Answer;
  const code = response.status?.details?.causes?.[0]?.reason;
  if (code === 'BelayUnavailable' || response.auditAnnotations?.unchecked !== undefined) return undefined;
  const said = [...(response.warnings ?? []), ...Object.values(response.auditAnnotations ?? {})].join('\n');
  const waived = [...new Set([...said.matchAll(/\[(Belay\w+)\]/g)].map(([, found = '']) => found))];
  return {
    allowed: response.allowed,
    ...(code !== undefined && { code }),
    ...(response.allowed && waived.length > 0 && { waived }),
    ...(response.patch !== undefined && {
      patch: JSON.parse(withoutTimes(Buffer.from(response.patch, 'base64').toString())),
    }),
  };
};
