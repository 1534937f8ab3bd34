import { type Api, ApiError } from '../../../src/kubernetes/api.ts';

/** What became of the writes of a load. */
export interface LoadResult {
  /** Writes that Belay lets pass, of webhooks that are closed without it. */
  readonly passed: number;
  /** Writes that Belay denies, of webhooks that are open without it. */
  readonly denied: number;
  /** Each write that ended otherwise: it failed, or it passed without having been judged. */
  readonly lost: readonly string[];
  /** Writes of which the API server itself said nothing, and what became of the connection. */
  readonly unanswered: readonly string[];
}

export interface LoadOptions {
  /** Writes the Namespace, whose webhooks are closed. */
  readonly admin: Api;
  /** Writes the Deployment that Helm manages, whose webhook is open; is denied every time. */
  readonly person: Api;
  /** Carries a lock, so that Belay is asked about its writes. */
  readonly namespace: string;
  readonly deployment: string;
  readonly perSecond: number;
}

/** More than that under way, and it waits: a machine that cannot keep up is not to be buried. */
const MAX_UNDER_WAY = 20;

const MERGE = 'application/merge-patch+json';

/** Writes through the API server, by turns, until it is stopped. */
export const startReviewedLoad = ({ admin, person, namespace, deployment, perSecond }: LoadOptions) => {
  const lost: string[] = [];
  const unanswered: string[] = [];
  const underWay = new Set<Promise<void>>();
  let [sent, passed, denied] = [0, 0, 0];

  const fail = (at: string, error: unknown): void => {
    const { message, cause } = error as Error;
    if (!(error instanceof ApiError && error.status === 0)) lost.push(`${at} a write failed: ${message}`);
    else unanswered.push(`${at} ${message}: ${(cause as Error | undefined)?.cause}`);
  };

  const write = async (number: number): Promise<void> => {
    const at = new Date().toISOString();
    if (number % 2 === 0) {
      const body = { metadata: { labels: { counter: String(number) } } };
      try {
        await admin.request({ method: 'PATCH', path: `/api/v1/namespaces/${namespace}`, contentType: MERGE, body });
        passed += 1;
      } catch (error) {
        fail(at, error);
      }
      return;
    }
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`;
    try {
      await person.request({
        method: 'PATCH',
        path,
        contentType: MERGE,
        body: { spec: { minReadySeconds: 1 + (number % 500) } },
      });
      lost.push(`${at} a write passed that Belay denies`);
    } catch (error) {
      if (error instanceof ApiError && error.message.includes('[BelayDrift]')) denied += 1;
      else fail(at, error);
    }
  };

  const timer = setInterval(() => {
    if (underWay.size >= MAX_UNDER_WAY) return;
    const writing = write(sent++).finally(() => underWay.delete(writing));
    underWay.add(writing);
  }, 1_000 / perSecond);

  return {
    async stop(): Promise<LoadResult> {
      clearInterval(timer);
      await Promise.all(underWay);
      return { passed, denied, lost, unanswered };
    },
  };
};
