import { type Api, ApiError, type ApiRequest, METADATA_ONLY } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { escapeText, showName } from '../../text/escape.ts';
import { describeError, describeForbidden } from './ask.ts';
import { explainFailedCall, type FailedCall } from './explain-call.ts';

/** The result of a tried write. */
export type Outcome =
  | { readonly came: 'through'; readonly object: KubernetesObject; readonly latencyMs: number }
  /** Refused by Belay: `code` is `BelayBadLock` or the like. */
  | {
      readonly came: 'to Belay';
      readonly webhook: string;
      readonly code: string;
      readonly headline: string;
      readonly latencyMs: number;
    }
  /** The API server could not call a webhook of Belay. */
  | { readonly came: 'to nobody'; readonly call: FailedCall }
  /** Something else stopped the write, which tells nothing about Belay. */
  | { readonly came: 'nowhere'; readonly why: string };

const BELAYS = /^admission webhook "([\w-]+\.belay\.dev)" denied the request: ([^\n]*)/;
const OTHERS = /^admission webhook "([^"]{1,253})" denied the request: ([^\n]*)/;
const CODE = /\[(Belay\w+)\]/;

const readError = (error: unknown, latencyMs: number): Outcome => {
  const message = error instanceof ApiError ? error.message : '';
  const [, webhook, headline = ''] = BELAYS.exec(message) ?? [];
  const [, code] = CODE.exec(headline) ?? [];
  if (webhook !== undefined && code !== undefined)
    return { came: 'to Belay', webhook, code, headline: escapeText(headline, 300), latencyMs };
  const call = explainFailedCall(message);
  if (call !== undefined && /\.belay\.dev$/.test(call.webhook)) return { came: 'to nobody', call };
  const [, other, said = ''] = OTHERS.exec(message) ?? [];
  if (other !== undefined)
    return { came: 'nowhere', why: `the webhook ${showName(other)} refused it first: ${escapeText(said, 200)}` };
  return {
    came: 'nowhere',
    why: describeForbidden(error) ?? `it was stopped by something else: ${describeError(error)}`,
  };
};

/** Sends a write as a dry run: the API server asks all webhooks, and stores nothing. Never rejects. */
export const tryWrite = async (api: Api, request: Omit<ApiRequest, 'query' | 'accept'>): Promise<Outcome> => {
  const startMs = performance.now();
  const elapsed = (): number => Math.round(performance.now() - startMs);
  try {
    const object = await api.request<KubernetesObject>({
      ...request,
      query: { dryRun: 'All', fieldManager: 'belay' },
      accept: METADATA_ONLY,
    });
    return { came: 'through', object, latencyMs: elapsed() };
  } catch (error) {
    return readError(error, elapsed());
  }
};
