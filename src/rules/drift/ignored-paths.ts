import { isMap, type JsonMap, own } from './json.ts';

/**
 * A node in a tree of ignored paths. The paths are JSON Pointers (RFC 6901); `*` stands for any key or list item, and `~*` in a segment for any
 * characters, where the pointers of RFC 6901 cannot have it.
 */
interface PathNode {
  readonly below: Map<string, PathNode>;
  /** By the text before `~*` and the text after it. */
  patterns?: { readonly start: string; readonly end: string; readonly node: PathNode }[];
  ignored: boolean;
}

/** The nodes that match the path so far; undefined when no ignored path begins with it. */
export type IgnoreState = readonly PathNode[] | undefined;

export const isIgnored = (state: IgnoreState): boolean => state?.some(({ ignored }) => ignored) ?? false;

export const descend = (state: IgnoreState, segment: string): IgnoreState => {
  if (state === undefined) return undefined;
  let next: PathNode[] | undefined;
  for (const { below, patterns } of state) {
    for (const place of [below.get(segment), below.get('*')]) {
      if (place === undefined) continue;
      next ??= [];
      next.push(place);
    }
    if (patterns === undefined) continue;
    for (const { start, end, node } of patterns) {
      if (segment.length < start.length + end.length || !segment.startsWith(start) || !segment.endsWith(end)) continue;
      next ??= [];
      next.push(node);
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

const keyOf = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~');

const addKey = ({ below }: PathNode, key: string): PathNode => {
  const known = below.get(key);
  if (known !== undefined) return known;
  const added: PathNode = { below: new Map(), ignored: false };
  below.set(key, added);
  return added;
};

/** Of several `~*` in a segment the first counts, and all after it matches the end as it stands. */
const addPattern = (place: PathNode, segment: string): PathNode => {
  const [start = '', ...rest] = segment.split('~*').map(keyOf);
  const node: PathNode = { below: new Map(), ignored: false };
  place.patterns ??= [];
  place.patterns.push({ start, end: rest.join('*'), node });
  return node;
};

const compile = (pointers: readonly string[]): PathNode => {
  const root: PathNode = { below: new Map(), ignored: false };
  for (const pointer of pointers) {
    if (pointer !== '' && !pointer.startsWith('/')) continue;
    let place = root;
    for (const segment of pointer.split('/').slice(1))
      place = segment.includes('~*') ? addPattern(place, segment) : addKey(place, keyOf(segment));
    place.ignored = true;
  }
  return root;
};

const TEMPLATE_ANNOTATIONS = '/spec/template/metadata/annotations';

/**
 * What restarts Pods and changes nothing else: `kubectl rollout restart`, and what other programs write in its place
 * (`openshift.openshift.io/restartedAt`, `aptakube.com/restartedAt`, `kubesphere.io/restartedAt`; Rancher's `cattle.io/timestamp`).
 */
const RESTARTED_AT = [`${TEMPLATE_ANNOTATIONS}/~*~1restartedAt`, `${TEMPLATE_ANNOTATIONS}/cattle.io~1timestamp`];
const DEFAULT_PATHS = compile(RESTARTED_AT);
const WEBHOOK_PATHS = compile(['/webhooks/*/clientConfig/caBundle']);

const NO_PATHS = compile([]);

const PATHS_BY_KIND: ReadonlyMap<string, PathNode> = new Map([
  ['admissionregistration.k8s.io ValidatingWebhookConfiguration', WEBHOOK_PATHS],
  ['admissionregistration.k8s.io MutatingWebhookConfiguration', WEBHOOK_PATHS],
  ['apiextensions.k8s.io CustomResourceDefinition', compile(['/spec/conversion/webhook/clientConfig/caBundle'])],
  ['apiregistration.k8s.io APIService', compile(['/spec/caBundle'])],
]);
const AGGREGATED_ROLE_PATHS = compile(['/rules']);

/** A Rollout restarts by a field of its own (`kubectl argo rollouts restart`). */
const ROLLOUT = 'argoproj.io Rollout';
const ROLLOUT_PATHS = compile([...RESTARTED_AT, '/spec/restartAt']);

const compiled = new WeakMap<readonly string[], PathNode>();

/**
 * The paths that the policy ignores, and those that are never drift: what restarts Pods, certificates that an
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
  const restarts = `${group} ${kind}` === ROLLOUT ? ROLLOUT_PATHS : DEFAULT_PATHS;
  const always = countsRestart ? NO_PATHS : restarts;
  const builtIn = isAggregated ? AGGREGATED_ROLE_PATHS : (PATHS_BY_KIND.get(`${group} ${kind}`) ?? always);
  if (ignore.length === 0) return [builtIn];
  let chosen = compiled.get(ignore);
  if (chosen === undefined) {
    chosen = compile(ignore);
    compiled.set(ignore, chosen);
  }
  return [builtIn, chosen];
};
