import type { ObjectRef } from '../kubernetes/object.ts';
import type { ManifestDocument } from './manifest.ts';
import { CostlyManifest, SEARCH_BOUNDS, type SearchBounds, searchManifest } from './manifest-search.ts';

/** A hook that Helm runs for an uninstall. */
export interface DeleteHook {
  readonly group: string;
  readonly kind: string;
  /** Empty where the hook names none: the release's then, for a namespaced kind. */
  readonly namespace: string;
  readonly name: string;
  /** All of its events: `pre-delete`, `post-upgrade`, ... */
  readonly events: readonly string[];
}

/** The annotation by which Helm tells a hook, on the object as well: hooks carry no marks of ownership. */
export const HOOK_ANNOTATION = 'helm.sh/hook';

const OF_UNINSTALL: ReadonlySet<string> = new Set(['pre-delete', 'post-delete']);

/** Whether Helm runs a hook with these events for an uninstall. */
export const isOfUninstall = (events: readonly string[]): boolean => events.some((event) => OF_UNINSTALL.has(event));

/** The events that the annotation names, as Helm reads it (helm.sh/helm/v4/pkg/release/v1/util/manifest_sorter.go). */
export const eventsIn = (annotation: string | undefined): readonly string[] =>
  (annotation ?? '')
    .split(',')
    .map((event) => event.trim().toLowerCase())
    .filter((event) => event !== '');

/** Hooks of an uninstall that are read of one record, in the order in which it lists them. The largest public charts have some dozen. */
const MAX_HOOKS = 500;

/** A usual hook, a Job with its account and its script, has some 1,000 tokens in 3 KB. The others are told by what the record says beside them. */
const BOUNDS: SearchBounds = {
  ...SEARCH_BOUNDS,
  maxDocumentCharacters: 256 * 1024,
  maxTokens: 20_000,
  maxTokensInAll: 20_000,
};
const MAX_CHARACTERS = 1024 * 1024;

/** No kind, namespace or name is longer, and a longer event is none. */
const MAX_WORD_CHARACTERS = 253;

const isWord = (text: string): boolean => text.length <= MAX_WORD_CHARACTERS;

const eventsOf = (hook: Readonly<Record<string, unknown>>): readonly string[] =>
  Array.isArray(hook.events)
    ? hook.events.slice(0, 50).filter((event) => typeof event === 'string' && isWord(event))
    : [];

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined for a manifest that takes too long to read. */
const documentsIn = (manifest: string): readonly ManifestDocument[] | undefined => {
  try {
    return searchManifest(() => [manifest], manifest.length, undefined, BOUNDS).documents;
  } catch (error) {
    if (error instanceof CostlyManifest) return undefined;
    throw error;
  }
};

/** The hooks of an uninstall among `hooks` of a payload. `text` gives the text of a value (cut-payload.ts). */
export const deleteHooksIn = (hooks: unknown, text: (value: unknown) => string): readonly DeleteHook[] => {
  if (!Array.isArray(hooks)) return [];
  const ofUninstall = hooks.filter(isMap).filter((hook) => isOfUninstall(eventsOf(hook)));
  const found: DeleteHook[] = [];
  let characters = 0;
  for (const hook of ofUninstall.slice(0, MAX_HOOKS)) {
    const events = eventsOf(hook);
    const manifest = text(hook.manifest);
    characters += manifest.length;
    const documents = characters > MAX_CHARACTERS ? undefined : documentsIn(manifest);
    if (documents === undefined) {
      found.push({ group: ANY, kind: text(hook.kind), namespace: ANY, name: text(hook.name), events });
    } else {
      found.push(...documents.map(({ group, kind, namespace, name }) => ({ group, kind, namespace, name, events })));
    }
  }
  return found
    .filter(({ group, kind, namespace, name }) => [group, kind, namespace, name].every(isWord))
    .slice(0, MAX_HOOKS);
};

/** Stands for whatever could not be read. */
const ANY = '*';

/** Whether the hook is this object. `home` is the namespace of the release's objects. A Namespace is reviewed without one. */
export const isHook = (hook: DeleteHook, object: ObjectRef, home: string): boolean => {
  if (hook.kind !== object.kind || hook.name !== object.name) return false;
  if (hook.group !== ANY && hook.group !== object.group) return false;
  const namespace = hook.namespace === '' ? home : hook.namespace;
  return object.namespace === '' || namespace === ANY || namespace === object.namespace;
};
