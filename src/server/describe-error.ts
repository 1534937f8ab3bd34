import { escapeText } from '../text/escape.ts';

/** Type, message and stack, and none of the fields that a client library may have hung on it, such as a response's body. */
export const describeError = (error: unknown): { type: string; message: string; stack: string | undefined } =>
  error instanceof Error
    ? { type: error.name, message: escapeText(error.message), stack: error.stack?.slice(0, 4000) }
    : { type: typeof error, message: escapeText(String(error)), stack: undefined };
