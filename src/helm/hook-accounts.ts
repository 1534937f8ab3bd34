import { documentsIn, eventsOf, HOOK_BOUNDS, isMap, isWord } from './read-hooks.ts';

/** A service account that a Pod of a hook names. */
export interface HookAccount {
  /** Empty where the hook names none: that of the release's objects then. A Pod never runs as an account of another namespace than its own. */
  readonly namespace: string;
  readonly name: string;
  /** All events of the hook: `pre-upgrade`, `post-delete`, ... */
  readonly events: readonly string[];
}

/** Hooks of one record that are looked through, and accounts that are kept of them. The largest public charts have some dozen of either. */
const MAX_HOOKS = 500;
const MAX_ACCOUNTS = 100;

/** Where the kinds of Kubernetes that make Pods say what their Pods are like. */
const POD_SPECS: readonly (readonly string[])[] = [
  ['spec'],
  ['spec', 'template', 'spec'],
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
];
const GROUPS_OF_PODS: ReadonlySet<string> = new Set(['', 'apps', 'batch']);

/** Every Pod of the namespace that names no account runs as this one. So it tells nothing about who writes. */
const EVERYBODYS = 'default';

/** A name as the API server takes it (RFC 1123 subdomain): no other text makes a username of another namespace. */
const ACCOUNT_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((found, key) => (isMap(found) && Object.hasOwn(found, key) ? found[key] : undefined), value);

/** `serviceAccount` is the older name of the field; the API server lets the newer one win. */
const accountsOf = (document: Readonly<Record<string, unknown>>): readonly string[] =>
  POD_SPECS.map((path) => at(document, [...path, 'serviceAccountName']) || at(document, [...path, 'serviceAccount']))
    .filter((name) => typeof name === 'string')
    .filter((name) => name !== EVERYBODYS && isWord(name) && ACCOUNT_NAME.test(name));

/** The accounts that the Pods of `hooks` of a payload name. `text` gives the text of a value (cut-payload.ts). */
export const hookAccountsIn = (hooks: unknown, text: (value: unknown) => string): readonly HookAccount[] => {
  if (!Array.isArray(hooks)) return [];
  const found: HookAccount[] = [];
  let characters = 0;
  for (const hook of hooks.filter(isMap).slice(0, MAX_HOOKS)) {
    const events = eventsOf(hook);
    const manifest = text(hook.manifest);
    characters += manifest.length;
    if (characters > HOOK_BOUNDS.maxCharactersInAll || found.length >= MAX_ACCOUNTS) break;
    // A hook that takes too long to read names nobody.
    for (const { group, namespace, document } of documentsIn(manifest) ?? []) {
      if (!GROUPS_OF_PODS.has(group) || !isWord(namespace)) continue;
      found.push(...accountsOf(document).map((name) => ({ namespace, name, events })));
    }
  }
  return found.slice(0, MAX_ACCOUNTS);
};
