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
   * Tokens of one document's YAML, and of all documents that may be the wanted object. Each takes half a kilobyte while it is parsed. The largest custom resource definition of the public
   * charts has 219,584 (Argo's Workflow, with all descriptions).
   */
  readonly maxTokens: number;
  /** Tokens of all documents, where all are wanted. Those of kube-prometheus-stack, with its definitions, are some 600,000. */
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

/** What it takes to begin a document, in tokens. */
const TOKENS_A_DOCUMENT = 50;

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

/** All documents of a manifest; undefined where they are too many. */
const readAll = (
  pieces: Iterable<string>,
  maxTokensInAll: number,
  bounds: SearchBounds,
): readonly ManifestDocument[] | undefined => {
  const documents: ManifestDocument[] = [];
  let tokens = 0;
  for (const part of partsOf(pieces, bounds)) {
    const partTokens = part === undefined ? Number.POSITIVE_INFINITY : countTokens(part, bounds.maxTokens);
    tokens += partTokens + TOKENS_A_DOCUMENT;
    if (part === undefined || partTokens > bounds.maxTokens || tokens > maxTokensInAll) return undefined;
    documents.push(...documentsOf(part));
  }
  return documents;
};

/** The documents of the wanted object; undefined where too many may be it. */
const readWanted = (
  pieces: Iterable<string>,
  wanted: WantedObject,
  bounds: SearchBounds,
): readonly ManifestDocument[] | undefined =>
  readAll(partsThatMayBe(pieces, wanted, bounds), bounds.maxTokens, bounds)?.filter((document) =>
    isNamed(document, wanted),
  );

/** As pieces of a manifest again. A document that is too long is none that the API server would take. */
const partsThatMayBe = function* (
  pieces: Iterable<string>,
  wanted: WantedObject,
  bounds: SearchBounds,
): Generator<string> {
  for (const part of partsOf(pieces, bounds)) {
    if (part !== undefined && mayBe(part, wanted)) yield `${part}\n---\n`;
  }
};

/**
 * The documents of a manifest. `characters` is its length, at least about, and `pieces` begins to read it. Of a manifest that is too large for
 * all of its documents, only those of the `wanted` object are read; with none wanted, all are read. Throws CostlyManifest.
 */
export const searchManifest = (
  pieces: () => Iterable<string>,
  characters: number,
  wanted: WantedObject | undefined,
  bounds: SearchBounds = SEARCH_BOUNDS,
): FoundDocuments => {
  if (wanted === undefined || characters <= bounds.maxWholeCharacters) {
    const documents = readAll(pieces(), wanted === undefined ? bounds.maxTokensInAll : bounds.maxTokens, bounds);
    if (documents !== undefined) return { documents, isComplete: true };
  }
  const documents = wanted && readWanted(pieces(), wanted, bounds);
  if (documents === undefined) throw new CostlyManifest('the manifest would take too long to read');
  return { documents, isComplete: false };
};

/** Whether a document is of this object, in whatever namespace. */
export const isNamed = ({ group, kind, name }: ManifestDocument, wanted: WantedObject): boolean =>
  group === wanted.group && kind === wanted.kind && name === wanted.name;
