import { Lexer } from 'yaml';
import type { ObjectRef } from '../kubernetes/object.ts';
import { documentsOf, type ManifestDocument, SEPARATOR } from './manifest.ts';

/** Thrown for a manifest that cannot be looked through in reasonable time and memory. */
export class CostlyManifest extends Error {
  override readonly name = 'CostlyManifest';
}

/** What is asked for when a manifest is too large for all of its documents. */
export type WantedObject = Pick<ObjectRef, 'group' | 'kind' | 'name'>;

export interface FoundDocuments {
  readonly documents: readonly ManifestDocument[];
  /** Whether these are all; otherwise only those that may be the wanted object. */
  readonly isComplete: boolean;
}

export interface SearchBounds {
  /** Characters of one document. The API server takes no object of more than 3 MB; YAML may be longer than its JSON. */
  readonly maxDocumentCharacters: number;
  /**
   * Tokens of one document's YAML, each of which takes half a kilobyte while it is parsed. The largest custom resource definition of the public
   * charts has 219,584 (Argo's Workflow, with all descriptions).
   */
  readonly maxTokens: number;
  /** Tokens of all documents, where all are wanted. That of the whole kube-prometheus-stack, definitions and all, are some 600,000. */
  readonly maxTokensInAll: number;
  /** A longer manifest is searched for the wanted object. */
  readonly maxWholeCharacters: number;
}

export const SEARCH_BOUNDS: SearchBounds = {
  maxDocumentCharacters: 4 * 1024 * 1024,
  maxTokens: 250_000,
  maxTokensInAll: 1_000_000,
  maxWholeCharacters: 1024 * 1024,
};

/**
 * Splits a manifest into its YAML documents, as parseManifest does, from pieces of its text: the whole text is never in memory.
 * Yields undefined for a document that is too long.
 */
const partsOf = function* (
  pieces: Iterable<string>,
  { maxDocumentCharacters }: SearchBounds,
): Generator<string | undefined> {
  let part: string | undefined = '';
  let line = '';
  const add = (text: string): void => {
    if (part !== undefined) part = part.length + text.length > maxDocumentCharacters ? undefined : part + text;
  };
  for (const piece of pieces) {
    const end = piece.lastIndexOf('\n') + 1;
    if (end === 0) {
      line += piece;
      if (line.length > maxDocumentCharacters) {
        part = undefined;
        line = '';
      }
      continue;
    }
    const [first = '', ...others] = (line + piece.slice(0, end)).split(SEPARATOR);
    line = piece.slice(end);
    add(first);
    for (const other of others) {
      yield part;
      part = '';
      add(other);
    }
  }
  const [first = '', ...others] = line.split(SEPARATOR);
  add(first);
  for (const other of others) {
    yield part;
    part = other;
  }
  yield part;
};

/** Whether a document may be the wanted object. Its name stands in it as it is, unless a backslash in quotes writes it otherwise. */
const mayBe = (part: string, { name }: WantedObject): boolean => part.includes(name) || part.includes('\\');

/** Marks of structure. A text has at most some three tokens for each. In a block of text they mean nothing, so only few are taken at their word. */
const MARKS: ReadonlySet<number> = new Set([...'\n,:-[]{}"\'#&*!|>?'].map((mark) => mark.charCodeAt(0)));
const TOKENS_A_MARK = 3;

/** Tokens of YAML: estimated where they are few, counted up to the bound where they may be many. Counting builds nothing of them. */
const countTokens = (part: string, maxTokens: number): number => {
  let marks = 0;
  for (let at = 0; at < part.length; at += 1) if (MARKS.has(part.charCodeAt(at))) marks += 1;
  if (marks * TOKENS_A_MARK <= maxTokens / 10) return marks * TOKENS_A_MARK;
  let count = 0;
  for (const _ of new Lexer().lex(part)) {
    count += 1;
    if (count > maxTokens) break;
  }
  return count;
};

/**
 * The documents of a manifest. `characters` is its length, at least about. Of a long manifest only those documents are read that may be the
 * `wanted` object; with none wanted, all are read. Throws CostlyManifest.
 */
export const searchManifest = (
  pieces: Iterable<string>,
  characters: number,
  wanted: WantedObject | undefined,
  bounds: SearchBounds = SEARCH_BOUNDS,
): FoundDocuments => {
  const isComplete = wanted === undefined || characters <= bounds.maxWholeCharacters;
  const documents: ManifestDocument[] = [];
  let tokens = 0;
  for (const part of partsOf(pieces, bounds)) {
    if (part === undefined) throw new CostlyManifest('a document of the manifest is longer than any object may be');
    if (!isComplete && !mayBe(part, wanted)) continue;
    const partTokens = countTokens(part, bounds.maxTokens);
    tokens += partTokens;
    if (partTokens > bounds.maxTokens || tokens > bounds.maxTokensInAll)
      throw new CostlyManifest('the manifest would take too long to read');
    for (const document of documentsOf(part)) if (isComplete || isNamed(document, wanted)) documents.push(document);
  }
  return { documents, isComplete };
};

/** Whether a document is of this object, in whatever namespace. */
export const isNamed = ({ group, kind, name }: ManifestDocument, wanted: WantedObject): boolean =>
  group === wanted.group && kind === wanted.kind && name === wanted.name;
