import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { Judge } from './answer-in-time.ts';
import type { Metrics } from './metrics.ts';
import { createReviewHandlers, type RequestHandler, type ReviewHandlerDependencies } from './review-handler.ts';
import { sendJson, sendText } from './send.ts';

export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Why the check is not ok, for the person who reads /readyz. */
  readonly detail: string;
}

export interface AppDependencies extends ReviewHandlerDependencies {
  readonly admit: Judge;
  readonly mutate: Judge;
  readonly readiness: () => readonly ReadinessCheck[];
  /** Whether the client of this request may ask for reviews. By default everybody may. */
  readonly isReviewClient?: (request: IncomingMessage) => boolean;
}

/** The HTTP side of Belay. It answers requests, and does not listen: listener.ts does. */
export const createApp = (dependencies: AppDependencies): express.Express => {
  const {
    admit,
    mutate,
    readiness,
    log,
    metrics,
    isDraining = () => false,
    isReviewClient = () => true,
  } = dependencies;
  const handlerOf = createReviewHandlers(dependencies);
  const reviews = new Map<string, RequestHandler>([
    ['/validate', handlerOf(admit)],
    ['/mutate', handlerOf(mutate)],
  ]);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    if (isDraining()) response.setHeader('connection', 'close');
    next();
  });

  // Alive means that the event loop turns. /readyz tells whether the API server answers: a restart would not help against its outage.
  app.get('/livez', (_request, response) => sendText(response, 200, 'ok'));
  app.get('/readyz', (_request, response) => {
    const checks = readiness();
    const ready = checks.every(({ ok }) => ok);
    const lines = checks.map(({ name, ok, detail }) => (ok ? `[+] ${name}` : `[-] ${name}: ${detail}`));
    sendText(response, ready ? 200 : 503, [...lines, ready ? 'ready' : 'not ready'].join('\n'));
  });
  app.all(['/livez', '/readyz'], (_request, response) => refuseMethod(response, 'GET'));
  app.all(['/validate', '/mutate'], (_request, response) => refuseMethod(response, 'POST'));
  app.use((_request, response) =>
    sendJson(response, 404, { error: 'there are /validate, /mutate, /livez and /readyz' }),
  );
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    // Errors of express itself name their status, such as one for a path that cannot be decoded.
    const status = error instanceof Error && 'status' in error && error.status === 400 ? 400 : 500;
    if (status === 500) log.error({ problem: String(error) }, 'a request failed');
    sendJson(response, status, { error: status === 400 ? 'bad request' : 'something went wrong inside Belay' });
  });

  // express calls `app.handle` for each request. Its layers give request and response new prototypes, which costs more than to judge most
  // reviews. Reviews come by the thousands, so they are handled before express has its turn.
  const { handle } = app as unknown as { handle: express.Handler };
  const handleFast = (request: Request, response: Response, next: NextFunction): void => {
    const review = request.method === 'POST' ? reviews.get(pathOf(request.url)) : undefined;
    if (review === undefined) handle.call(app, request, response, next);
    else if (isReviewClient(request)) review(request, response);
    else refuseClient(request, response, metrics);
  };
  return Object.assign(app, { handle: handleFast });
};

const pathOf = (url: string): string => {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
};

/** Such requests are counted and not logged, because everybody who can connect could fill the log. */
const refuseClient = (request: IncomingMessage, response: ServerResponse, { countMalformed }: Metrics): void => {
  countMalformed('client');
  request.resume();
  sendText(response, 401, 'reviews are taken from the API server only, by its client certificate');
};

const refuseMethod = (response: Response, allowed: 'GET' | 'POST'): void => {
  response.setHeader('allow', allowed);
  sendJson(response, 405, { error: `use ${allowed}` });
};
