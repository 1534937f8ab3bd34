import { escapeText } from '../text/escape.ts';

/** The type, message and stack of an error. Fields that a client library has added are left out, such as the body of a response. */
export const describeError = (error: unknown): { type: string; message: string; stack: string | undefined } =>
  error instanceof Error
    ? { type: error.name, message: escapeText(error.message), stack: error.stack?.slice(0, 4000) }
    : { type: typeof error, message: escapeText(String(error)), stack: undefined };
