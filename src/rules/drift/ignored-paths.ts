import { isMap, type JsonMap, own } from './json.ts';

/** A node in a tree of ignored paths. The paths are JSON Pointers (RFC 6901); `*` stands for any key or list item. */
interface PathNode {
  readonly below: Map<string, PathNode>;
  ignored: boolean;
}

/** The nodes that match the path so far; undefined when no ignored path begins with it. */
export type IgnoreState = readonly PathNode[] | undefined;

export const isIgnored = (state: IgnoreState): boolean => state?.some(({ ignored }) => ignored) ?? false;

export const descend = (state: IgnoreState, segment: string): IgnoreState => {
  if (state === undefined) return undefined;
  let next: PathNode[] | undefined;
  for (const { below } of state) {
    for (const place of [below.get(segment), below.get('*')]) {
      if (place === undefined) continue;
      next ??= [];
      next.push(place);
    }
  }
  return next;
};

/** Descends to the item of a list. Without an index, only `*` means it. */
export const descendItem = (state: IgnoreState, index: number | undefined): IgnoreState => {
  if (index !== undefined) return descend(state, String(index));
  const found = state?.flatMap(({ below }) => below.get('*') ?? []);
  return found === undefined || found.length === 0 ? undefined : found;
};

const compile = (pointers: readonly string[]): PathNode => {
  const root: PathNode = { below: new Map(), ignored: false };
  for (const pointer of pointers) {
    if (pointer !== '' && !pointer.startsWith('/')) continue;
    let place = root;
    for (const segment of pointer.split('/').slice(1)) {
      const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
      let next = place.below.get(key);
      if (next === undefined) {
        next = { below: new Map(), ignored: false };
        place.below.set(key, next);
      }
      place = next;
    }
    place.ignored = true;
  }
  return root;
};

const RESTARTED_AT = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt';
const DEFAULT_PATHS = compile([RESTARTED_AT]);
const WEBHOOK_PATHS = compile([RESTARTED_AT, '/webhooks/*/clientConfig/caBundle']);

const NO_PATHS = compile([]);

const PATHS_BY_KIND: ReadonlyMap<string, PathNode> = new Map([
  ['admissionregistration.k8s.io ValidatingWebhookConfiguration', WEBHOOK_PATHS],
  ['admissionregistration.k8s.io MutatingWebhookConfiguration', WEBHOOK_PATHS],
  [
    'apiextensions.k8s.io CustomResourceDefinition',
    compile([RESTARTED_AT, '/spec/conversion/webhook/clientConfig/caBundle']),
  ],
  ['apiregistration.k8s.io APIService', compile([RESTARTED_AT, '/spec/caBundle'])],
]);
const AGGREGATED_ROLE_PATHS = compile([RESTARTED_AT, '/rules']);

const compiled = new WeakMap<readonly string[], PathNode>();

/**
 * The paths that the policy ignores, and those that are never drift: the annotation of `kubectl rollout restart`, certificates that an
 * injector fills in, and rules that the aggregation controller fills in.
 */
export const ignoredPaths = (
  group: string,
  kind: string,
  document: JsonMap,
  before: JsonMap,
  { ignore, countsRestart = false }: { readonly ignore: readonly string[]; readonly countsRestart?: boolean },
): IgnoreState => {
  const isAggregated =
    kind === 'ClusterRole' &&
    group === 'rbac.authorization.k8s.io' &&
    (isMap(own(document, 'aggregationRule')) || isMap(own(before, 'aggregationRule')));
  const always = countsRestart ? NO_PATHS : DEFAULT_PATHS;
  const builtIn = isAggregated ? AGGREGATED_ROLE_PATHS : (PATHS_BY_KIND.get(`${group} ${kind}`) ?? always);
  if (ignore.length === 0) return [builtIn];
  let chosen = compiled.get(ignore);
  if (chosen === undefined) {
    chosen = compile(ignore);
    compiled.set(ignore, chosen);
  }
  return [builtIn, chosen];
};
