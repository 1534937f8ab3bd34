/**
 * A ReleasePolicy as the rules see it: parsed, with every default filled in and every unit named. What people write is in
 * `schema.ts`; `parse-policy.ts` makes one of these of it.
 */

/** What happens to a write that a rule refuses: refused; passed with a warning; passed and only noted; not looked at. */
export type Action = 'Deny' | 'Warn' | 'Audit' | 'Off';

/** How much of an object a subject may not change: all of its desired state, or only what the chart sets. */
export type DriftScope = 'AllFields' | 'ChartFields';

/** An RBAC Subject (rbac.authorization.k8s.io/v1). */
export type PolicySubject =
  | { readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string };

/** Fields that are left to others. */
export interface IgnoreRule {
  /** API group; empty for the core group, `*` for any. */
  readonly group: string;
  /** `*` for any. */
  readonly kind: string;
  /** Whether an object of that name is meant (from a glob). */
  readonly matchesName: (name: string) => boolean;
  /** JSON Pointers (RFC 6901); `*` stands for any one list item or key. */
  readonly paths: readonly string[];
}

/** A freeze that comes and goes by the clock. */
export interface FreezeWindow {
  /** Five-field cron expression, when it begins. */
  readonly schedule: string;
  readonly durationMs: number;
  /** IANA name. */
  readonly timeZone: string;
  readonly reason: string;
}

export interface Policy {
  /** `metadata.name`; undefined for the built-in defaults. */
  readonly name: string | undefined;
  readonly priority: number;
  /** Whether it speaks of this release, by its name and its namespace's labels. */
  readonly matches: (release: {
    readonly name: string;
    readonly namespaceLabels: Readonly<Record<string, string>>;
  }) => boolean;
  readonly operations: { readonly action: Action; readonly staleAfterMs: number };
  readonly versions: {
    readonly action: Action;
    readonly downgrade: 'Allow' | 'Deny';
    /** SemVer range; undefined: any version. */
    readonly range: string | undefined;
  };
  readonly drift: {
    readonly action: Action;
    readonly users: DriftScope;
    readonly serviceAccounts: DriftScope;
    readonly ignore: readonly IgnoreRule[];
    readonly trusted: readonly PolicySubject[];
    readonly repair: { readonly action: 'Off' | 'Apply'; readonly prune: boolean; readonly intervalMs: number };
  };
  readonly freeze: {
    readonly action: Action;
    /** Set: frozen. */
    readonly reason: string | undefined;
    readonly windows: readonly FreezeWindow[];
  };
}
