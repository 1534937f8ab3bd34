import type { ObjectRef } from '../kubernetes/object.ts';
import { documentsIn, eventsOf, HOOK_BOUNDS, isMap, isWord } from './read-hooks.ts';

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
    // One that takes too long to read is told by what the record says beside it.
    const documents = characters > HOOK_BOUNDS.maxCharactersInAll ? undefined : documentsIn(manifest);
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
