import { UnreadableManifest } from '../facts/manifests.ts';
import { Overload } from '../kubernetes/overload.ts';
import { AnswerTooLarge } from '../kubernetes/read-list.ts';
import type { Cause } from './without-verdict.ts';

/** Why a judge has failed. Each but a `failure` is a bound that did its work, and needs no line in the log. */
export const causeOf = (error: unknown): Cause => {
  if (error instanceof Overload) return 'overload';
  if (error instanceof UnreadableManifest) return 'costly';
  return error instanceof AnswerTooLarge ? 'oversized' : 'failure';
};
