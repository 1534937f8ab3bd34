/** What happens to a write that breaks a rule. Deny refuses it, Warn lets it pass with a warning, Audit only notes it, Off does nothing. */
export type Action = 'Deny' | 'Warn' | 'Audit' | 'Off';

/** How much of an object a subject may not change: all of its desired state, or only what the chart sets. */
export type DriftScope = 'AllFields' | 'ChartFields';

/** An RBAC Subject (rbac.authorization.k8s.io/v1). */
export type PolicySubject =
  | { readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string };

/** Whom the drift rule does not bind. While a release is frozen, only those who are `whileFrozen`. */
export type TrustedSubject = PolicySubject & { readonly whileFrozen?: boolean };

/** Fields that the drift rule ignores. */
export interface IgnoreRule {
  /** API group; empty for the core group, `*` for any. */
  readonly group: string;
  /** `*` for any. */
  readonly kind: string;
  /** Whether the rule is for an object of this name (compiled from a glob). */
  readonly matchesName: (name: string) => boolean;
  /** JSON Pointers (RFC 6901); `*` stands for any one list item or key. */
  readonly paths: readonly string[];
}

/** Fields that are left to some subjects. While a release is frozen, only where it is `whileFrozen`. */
export interface AllowRule extends IgnoreRule {
  readonly subjects: readonly PolicySubject[];
  readonly whileFrozen: boolean;
}

/** A freeze that comes and goes by the clock. */
export interface FreezeWindow {
  /** When the window begins: a cron expression of five fields. */
  readonly schedule: string;
  readonly durationMs: number;
  /** IANA name. */
  readonly timeZone: string;
  readonly reason: string;
}

/** A ReleasePolicy as the rules read it: with every default filled in. parse-policy.ts makes it from the spec that people write. */
export interface Policy {
  /** `metadata.name`; undefined for the built-in defaults. */
  readonly name: string | undefined;
  readonly priority: number;
  /** Whether the policy is for a release, by its name and the labels of its namespace. */
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
    readonly allow: readonly AllowRule[];
    /** Names of presets, and `auto` (presets/presets.ts). */
    readonly presets: readonly string[];
    readonly trusted: readonly TrustedSubject[];
    /** What becomes of a dry run of a write that would be refused. */
    readonly dryRun: 'Warn' | 'Deny';
    readonly repair: { readonly action: 'Off' | 'Apply'; readonly prune: boolean; readonly intervalMs: number };
  };
  readonly freeze: {
    readonly action: Action;
    /** Why the releases are frozen; undefined where they are not. */
    readonly reason: string | undefined;
    readonly windows: readonly FreezeWindow[];
  };
}
