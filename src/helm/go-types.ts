/**
 * The types into which Helm decodes a release: those of helm.sh/helm/v3/pkg/release and helm.sh/helm/v4/pkg/release/v1, with their charts. A
 * field that only one of them has is here as well. Go decodes nothing of a payload in which one value has another type.
 */
export type GoType =
  | 'string'
  | 'bool'
  | 'int'
  /** Any JSON, with numbers that a float64 holds. */
  | 'any'
  /** `[]byte`, as a string in base64. */
  | 'bytes'
  | 'time'
  /** A time of Helm, of which an empty string is none. */
  | 'time or empty'
  /** An interface with methods: Go decodes nothing into it but null. */
  | 'nothing'
  | { readonly list: GoType }
  | { readonly map: GoType }
  | { readonly struct: Readonly<Record<string, GoType>> };

const STRINGS: GoType = { list: 'string' };
const VALUES: GoType = { map: 'any' };

const FILES: GoType = { list: { struct: { name: 'string', data: 'bytes', modtime: 'time' } } };

const DEPENDENCIES: GoType = {
  list: {
    struct: {
      name: 'string',
      version: 'string',
      repository: 'string',
      condition: 'string',
      tags: STRINGS,
      enabled: 'bool',
      'import-values': { list: 'any' },
      alias: 'string',
    },
  },
};

const METADATA: GoType = {
  struct: {
    name: 'string',
    home: 'string',
    sources: STRINGS,
    version: 'string',
    description: 'string',
    keywords: STRINGS,
    maintainers: { list: { struct: { name: 'string', email: 'string', url: 'string' } } },
    icon: 'string',
    apiVersion: 'string',
    condition: 'string',
    tags: 'string',
    appVersion: 'string',
    deprecated: 'bool',
    annotations: { map: 'string' },
    kubeVersion: 'string',
    dependencies: DEPENDENCIES,
    type: 'string',
  },
};

const CHART: GoType = {
  struct: {
    metadata: METADATA,
    lock: { struct: { generated: 'time', digest: 'string', dependencies: DEPENDENCIES } },
    templates: FILES,
    values: VALUES,
    schema: 'bytes',
    schemamodtime: 'time',
    files: FILES,
    modtime: 'time',
  },
};

const INFO: GoType = {
  struct: {
    first_deployed: 'time or empty',
    last_deployed: 'time or empty',
    deleted: 'time or empty',
    description: 'string',
    status: 'string',
    rollback_revision: 'int',
    notes: 'string',
    resources: { map: { list: 'nothing' } },
  },
};

const HOOK: GoType = {
  struct: {
    name: 'string',
    kind: 'string',
    path: 'string',
    manifest: 'string',
    events: STRINGS,
    last_run: { struct: { started_at: 'time or empty', completed_at: 'time or empty', phase: 'string' } },
    weight: 'int',
    delete_policies: STRINGS,
    output_log_policies: STRINGS,
  },
};

export const RELEASE: GoType = {
  struct: {
    name: 'string',
    info: INFO,
    chart: CHART,
    config: VALUES,
    manifest: 'string',
    hooks: { list: HOOK },
    version: 'int',
    namespace: 'string',
    apply_method: 'string',
  },
};
