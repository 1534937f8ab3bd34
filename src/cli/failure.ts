import type { ApiError } from '../kubernetes/api.ts';
import { escapeText } from '../text/escape.ts';

/**
 * How Belay's own failures end its process, after sysexits.h where that has a word for it. What `belay lock` wraps keeps the exit code that
 * Helm gave.
 */
export const EXIT = {
  /** Anything else, such as a release that is not there. */
  failed: 1,
  /** EX_USAGE: the command line makes no sense. */
  usage: 64,
  /** EX_UNAVAILABLE: no cluster to talk to, or it does not answer. */
  unreachable: 69,
  /** EX_TEMPFAIL: somebody else held the release for longer than one was willing to wait. */
  lockTimeout: 75,
  /** A release that was stuck could not be brought back. */
  recoveryFailed: 76,
  /** EX_NOPERM: refused, by Belay or by RBAC. */
  denied: 77,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The end of a command, in words for a person. Never with an exit code of 0. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

// By its name: to import the class is to load an HTTP client, which `belay --help` does not need.
const isApiError = (error: unknown): error is ApiError => error instanceof Error && error.name === 'ApiError';

const BELAYS_REFUSAL = /^admission webhook "[\w-]+\.belay\.dev" denied the request: /;

export interface Refusal {
  /** As Belay wrote it, without what the API server puts before it. */
  readonly message: string;
  /** `BelayFrozen`, `BelayOperationInFlight`, … */
  readonly code: string;
}

/** What Belay said, if it is Belay that refused. */
export const readRefusal = (error: unknown): Refusal | undefined => {
  if (!isApiError(error) || !BELAYS_REFUSAL.test(error.message)) return undefined;
  const message = error.message.replace(BELAYS_REFUSAL, '');
  return { message, code: /\[(Belay\w+)\]/.exec(message)?.[1] ?? '' };
};

/** fetch says only that it failed; what failed lies at the bottom. */
const deepest = (error: unknown): string => {
  let [message, at] = ['', error];
  for (let depth = 0; at instanceof Error && depth < 8; depth += 1) {
    if (at.message !== '') message = at.message;
    // A name with several addresses: each was tried.
    at = at.cause ?? (at instanceof AggregateError ? at.errors[0] : undefined);
  }
  return message;
};

const ofApi = (error: ApiError): Failure => {
  const refusal = readRefusal(error);
  if (refusal !== undefined) return new Failure(refusal.message, EXIT.denied, error);
  if (error.status === 0) return new Failure(`cannot reach the cluster: ${deepest(error)}`, EXIT.unreachable, error);
  if (error.status === 401)
    return new Failure(`the cluster does not know these credentials: ${error.message}`, EXIT.denied, error);
  return new Failure(error.message, error.status === 403 ? EXIT.denied : EXIT.failed, error);
};

/** Whatever a command has thrown, as an end that can be told. */
export const toFailure = (error: unknown): Failure => {
  if (error instanceof Failure) return error;
  if (isApiError(error)) return ofApi(error);
  return new Failure(error instanceof Error ? error.message : String(error), EXIT.failed, error);
};

/** Longest line that is shown: Belay's own are shorter, and the API server may quote a whole object. */
const MAX_LINE_CHARACTERS = 2_000;

/** `Error: …` in as many lines as it has. What others wrote stands in it, so that a terminal is not to obey it. */
export const showFailure = ({ message }: Failure): string =>
  `Error: ${message
    .trimEnd()
    .split('\n')
    .map((line) => escapeText(line, MAX_LINE_CHARACTERS))
    .join('\n')}`;
