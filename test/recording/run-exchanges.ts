import type { WatchEvent } from '../../src/kubernetes/api.ts';
import { isObject } from '../memory/fields.ts';
import { EXCHANGES, type Exchange } from './exchanges.ts';
import { createNormaliser } from './normalise.ts';

/** Somebody who answers: the real API server, or the one in memory. */
export interface Answerer {
  answer(request: Exchange['request']): Promise<{ readonly status: number; readonly body: unknown }>;
  /** What a watch tells up to now. */
  watch(request: Exchange['request']): Promise<readonly WatchEvent[]>;
  /** The AdmissionReviews of validating webhooks since the last time, the oldest first. */
  reviews(): readonly unknown[];
}

export interface RecordedExchange {
  readonly what: string;
  readonly status?: number;
  readonly body?: unknown;
  readonly events?: unknown;
  /** `request` of each AdmissionReview that it led to. */
  readonly reviews?: readonly unknown[];
}

const withVersion = (request: Exchange['request'], version: string): Exchange['request'] => {
  const { body } = request;
  if (!isObject(body)) return { ...request, query: { ...request.query, resourceVersion: version } };
  return { ...request, body: { ...body, metadata: { ...(body.metadata as object), resourceVersion: version } } };
};

const requestIn = (review: unknown): unknown => {
  const { request } = review as { request: Record<string, unknown> };
  const { uid: _uid, userInfo: _user, options: _options, ...rest } = request;
  return rest;
};

/** Puts all requests of the recording, and writes down what came of them in a form that can be compared. */
export const runExchanges = async (answerer: Answerer): Promise<readonly RecordedExchange[]> => {
  const normalise = createNormaliser();
  const versions = new Map<string, string>();
  const recorded: RecordedExchange[] = [];
  for (const { what, request, versionOf, isWatch = false } of EXCHANGES) {
    const known = versionOf === undefined ? undefined : versions.get(versionOf);
    const asked = known === undefined ? request : withVersion(request, known);
    if (isWatch) {
      recorded.push({ what, events: normalise(await answerer.watch(asked)) });
      continue;
    }
    const { status, body } = await answerer.answer(asked);
    const version = (body as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion;
    if (version !== undefined) versions.set(what, version);
    const reviews = answerer.reviews().map((review) => normalise(requestIn(review)));
    recorded.push({ what, status, body: normalise(body), ...(reviews.length > 0 && { reviews }) });
  }
  return recorded;
};
