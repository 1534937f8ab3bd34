import { isList, isMap, type JsonMap, MAX_RECURSION, own } from './json.ts';

/**
 * Values that the API server sets where a manifest leaves a field out, by the last two names of the path; `*` is any parent. The fields of
 * a Pod's template and of what a chart may lose and get back in one piece.
 * k8s.io/kubernetes pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go
 */
const DEFAULTS: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ['ports protocol', ['TCP']],
  ['* terminationMessagePath', ['/dev/termination-log']],
  ['* terminationMessagePolicy', ['File']],
  ...['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((probe): [string, readonly unknown[]][] => [
    [`${probe} timeoutSeconds`, [1]],
    [`${probe} periodSeconds`, [10]],
    [`${probe} successThreshold`, [1]],
    [`${probe} failureThreshold`, [3]],
  ]),
  ['httpGet scheme', ['HTTP']],
  ['httpGet path', ['/']],
  ['grpc service', ['']],
  ['fieldRef apiVersion', ['v1']],
  ['configMap defaultMode', [420]],
  ['secret defaultMode', [420]],
  ['projected defaultMode', [420]],
  ['downwardAPI defaultMode', [420]],
  ['serviceAccountToken expirationSeconds', [3600]],
  ['hostPath type', ['']],
  ['spec volumeMode', ['Filesystem']],
  ['volumeClaimTemplates apiVersion', ['v1']],
  ['volumeClaimTemplates kind', ['PersistentVolumeClaim']],
]);

/** Maps that the API server writes empty. An empty map elsewhere can have a meaning, such as `podSelector: {}`. */
const EMPTY_MAPS: ReadonlySet<string> = new Set(['securityContext', 'resources']);

/** `holder` is the live map that holds the field: some defaults follow another field. */
const isDefault = (live: unknown, holder: JsonMap, parent: string, key: string): boolean => {
  // A template has no status of its own.
  if (parent === 'volumeClaimTemplates' && key === 'status') return true;
  if (key === 'targetPort') return parent === 'ports' && live === own(holder, 'port');
  if (key === 'imagePullPolicy') return live === defaultPullPolicy(own(holder, 'image'));
  if (EMPTY_MAPS.has(key)) return isMap(live) && Object.keys(live).length === 0;
  const defaults = DEFAULTS.get(`${parent} ${key}`) ?? DEFAULTS.get(`* ${key}`);
  return defaults?.includes(live) ?? false;
};

/** An image without a tag, or with the tag `latest`, is pulled at every start (k8s.io/kubernetes pkg/util/parsers ParseImageName). */
const defaultPullPolicy = (image: unknown): string => {
  const [, last = ''] = /([^/]*)$/.exec(String(image)) ?? [];
  if (last.includes('@')) return 'IfNotPresent';
  return last.includes(':') && !last.endsWith(':latest') ? 'IfNotPresent' : 'Always';
};

/**
 * Whether a live value that has the chart's value (`hasChartValue`) holds nothing beside it, apart from defaults of Kubernetes' own kinds.
 * `parent` and `key` are the last two names of its path.
 */
export const holdsNothingElse = (
  chart: unknown,
  live: unknown,
  parent: string,
  key: string,
  isBuiltIn: boolean,
  depth = 0,
): boolean => {
  if (depth >= MAX_RECURSION) return false;
  if (isMap(live)) {
    if (!isMap(chart)) return false;
    return Object.keys(live).every((name) => {
      const [set, is] = [own(chart, name), own(live, name)];
      if (is === undefined) return true;
      if (set === undefined) return isBuiltIn && isDefault(is, live, key, name);
      return holdsNothingElse(set, is, key, name, isBuiltIn, depth + 1);
    });
  }
  if (!isList(live)) return true;
  return (
    isList(chart) &&
    chart.length === live.length &&
    live.every((item, index) => holdsNothingElse(chart[index], item, parent, key, isBuiltIn, depth + 1))
  );
};
