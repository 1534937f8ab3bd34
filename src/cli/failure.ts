import type { ApiError } from '../kubernetes/api.ts';
import { escapeText } from '../text/escape.ts';

/**
 * Exit codes of Belay's own failures. They follow sysexits.h where it has a fitting code. `belay lock` ends with the exit code of the
 * command that it wraps.
 */
export const EXIT = {
  /** Any other failure, such as a release that does not exist. */
  failed: 1,
  /** EX_USAGE: the command line is wrong. */
  usage: 64,
  /** EX_UNAVAILABLE: there is no cluster to talk to, or the cluster does not answer. */
  unreachable: 69,
  /** EX_TEMPFAIL: somebody else held the release for longer than `--lock-timeout`. */
  lockTimeout: 75,
  /** Helm could not bring back a release that was stuck. */
  recoveryFailed: 76,
  /** EX_NOPERM: Belay or RBAC refused. */
  denied: 77,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command failed. The message is for a person. The exit code is never 0. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

// Compares the name, because importing the class would load an HTTP client, which `belay --help` does not need.
const isApiError = (error: unknown): error is ApiError => error instanceof Error && error.name === 'ApiError';

const BELAYS_REFUSAL = /^admission webhook "[\w-]+\.belay\.dev" denied the request: /;

export interface Refusal {
  /** Belay's own text, without the prefix of the API server. */
  readonly message: string;
  /** `BelayFrozen`, `BelayOperationInFlight`, … */
  readonly code: string;
}

/** Reads Belay's refusal. Undefined: the error is something else. */
export const readRefusal = (error: unknown): Refusal | undefined => {
  if (!isApiError(error) || !BELAYS_REFUSAL.test(error.message)) return undefined;
  const message = error.message.replace(BELAYS_REFUSAL, '');
  return { message, code: /\[(Belay\w+)\]/.exec(message)?.[1] ?? '' };
};

/** The message of the innermost cause: fetch itself says only that it failed. */
const deepest = (error: unknown): string => {
  let [message, at] = ['', error];
  for (let depth = 0; at instanceof Error && depth < 8; depth += 1) {
    if (at.message !== '') message = at.message;
    // A host with several addresses gives one error for each address.
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

/** Turns anything that a command throws into a Failure. */
export const toFailure = (error: unknown): Failure => {
  if (error instanceof Failure) return error;
  if (isApiError(error)) return ofApi(error);
  return new Failure(error instanceof Error ? error.message : String(error), EXIT.failed, error);
};

/** Longest line that is shown. Belay's own lines are shorter, but the API server may quote a whole object. */
const MAX_LINE_CHARACTERS = 2_000;

/** `Error: …`, with all lines of the message. Text of others is escaped, so that it cannot control the terminal. */
export const showFailure = ({ message }: Failure): string =>
  `Error: ${message
    .trimEnd()
    .split('\n')
    .map((line) => escapeText(line, MAX_LINE_CHARACTERS))
    .join('\n')}`;
