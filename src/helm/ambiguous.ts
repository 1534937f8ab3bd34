import { fold } from './go-fold.ts';
import { type Payload, PayloadError } from './payload.ts';

/**
 * Refuses a payload that Go, and so Helm, reads in another way than JavaScript: Belay would compare other values than Helm uses.
 * encoding/json ignores the case of a key (`MANIFEST` is `manifest`), and merges the two values of a key that comes twice. JSON.parse
 * minds the case and takes the last value. Helm itself never writes such keys.
 * https://pkg.go.dev/encoding/json#Unmarshal
 * `members` is the number of members in the JSON text: one for each key, and two for a key that comes twice.
 */
export const refuseAmbiguous = (payload: Payload, members: number): void => {
  if (countMembers(payload) !== members) throw new PayloadError('has a key twice');
  const { info, chart, hooks } = payload;
  const structs = [payload, info, chart, chart?.metadata, ...(Array.isArray(hooks) ? (hooks as unknown[]) : [])];
  if (structs.some(hasLookalike)) throw new PayloadError('has a key that Helm takes for another');
};

/** Fields of Helm's release, info, chart, metadata and hook that Belay or the next operation reads (helm.sh/helm/v4/pkg/release/v1). */
const FIELDS: ReadonlySet<string> = new Set([
  ...['name', 'info', 'chart', 'config', 'manifest', 'hooks', 'version', 'namespace', 'labels', 'apply_method'],
  ...['first_deployed', 'last_deployed', 'deleted', 'description', 'status', 'notes', 'resources', 'rollback_revision'],
  ...['metadata', 'lock', 'templates', 'values', 'schema', 'schemamodtime', 'files', 'modtime'],
  ...[
    'home',
    'sources',
    'keywords',
    'maintainers',
    'icon',
    'apiVersion',
    'condition',
    'tags',
    'appVersion',
    'deprecated',
  ],
  ...['annotations', 'kubeVersion', 'dependencies', 'type'],
  ...['kind', 'path', 'events', 'last_run', 'weight', 'delete_policies', 'output_log_policies'],
]);

const FOLDED: ReadonlyMap<string, string> = new Map([...FIELDS].map((field) => [fold(field), field]));

const hasLookalike = (struct: unknown): boolean =>
  typeof struct === 'object' &&
  struct !== null &&
  Object.keys(struct).some((key) => !FIELDS.has(key) && FOLDED.has(fold(key)));

/** Counts the members of all objects below `root`. A loop, because JSON may be nested deeper than the stack. */
const countMembers = (root: unknown): number => {
  const open: unknown[] = [root];
  let count = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (typeof item === 'object' && item !== null) open.push(item);
      continue;
    }
    for (const key in value) {
      count += 1;
      const member = (value as Record<string, unknown>)[key];
      if (typeof member === 'object' && member !== null) open.push(member);
    }
  }
  return count;
};
