import type { ManifestDocument } from './manifest.ts';
import { CostlyManifest, SEARCH_BOUNDS, type SearchBounds, searchManifest } from './manifest-search.ts';

/** What is read of the hooks of a payload, in the bounds that all who read them keep. */

/** A usual hook, a Job with its account and its script, has some 1,000 tokens in 3 KB. */
const BOUNDS: SearchBounds = {
  ...SEARCH_BOUNDS,
  maxDocumentCharacters: 256 * 1024,
  maxTokens: 20_000,
  maxTokensInAll: 20_000,
};

export const HOOK_BOUNDS = { maxCharactersInAll: 1024 * 1024 } as const;

/** No kind, namespace or name is longer, and a longer event is none. */
const MAX_WORD_CHARACTERS = 253;

export const isWord = (text: string): boolean => text.length <= MAX_WORD_CHARACTERS;

export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const eventsOf = (hook: Readonly<Record<string, unknown>>): readonly string[] =>
  Array.isArray(hook.events)
    ? hook.events.slice(0, 50).filter((event) => typeof event === 'string' && isWord(event))
    : [];

/** Undefined for a manifest that takes too long to read. */
export const documentsIn = (manifest: string): readonly ManifestDocument[] | undefined => {
  try {
    return searchManifest(() => [manifest], manifest.length, undefined, BOUNDS).documents;
  } catch (error) {
    if (error instanceof CostlyManifest) return undefined;
    throw error;
  }
};
