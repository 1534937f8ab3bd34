import type { z } from 'zod';
import { compileSelector } from '../kubernetes/label-selector.ts';
import { parseDuration } from '../text/duration.ts';
import { showPath } from '../text/escape.ts';
import { compileGlobs } from './name-glob.ts';
import type { AllowRule, FreezeWindow, IgnoreRule, Policy, PolicySubject, TrustedSubject } from './policy.ts';
import { builtInPolicy } from './policy-in-force.ts';
import { type ReleasePolicySpec, releasePolicySpec } from './schema.ts';

/** A field that cannot be read. Both texts are safe to show: they quote everything that a caller wrote. */
export interface PolicyProblem {
  /** The path, as Kubernetes writes it: `spec.freeze.windows[0].schedule`. */
  readonly field: string;
  readonly problem: string;
}

export type ParsedPolicy =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

export interface PolicyDefaults {
  readonly staleAfterMs: number;
}

/** Most problems that one answer lists: nobody reads more at once. */
const MAX_PROBLEMS = 20;

/** Reads a ReleasePolicy. Never throws. */
export const parsePolicy = (
  object: { readonly metadata: { readonly name: string }; readonly spec?: unknown },
  defaults: PolicyDefaults,
): ParsedPolicy => {
  const given = object.spec ?? {};
  const problems = findProblems(given);
  if (problems !== undefined) return { ok: false, problems };
  // zod's copy lacks keys called `__proto__`, so the original is read. The schema transforms nothing, so both hold the same values.
  return { ok: true, policy: toPolicy(object.metadata.name, given as ReleasePolicySpec, defaults) };
};

/** Checks a spec against the schema; undefined when it fits. */
const findProblems = (given: unknown): readonly PolicyProblem[] | undefined => {
  try {
    const { success, error } = releasePolicySpec.safeParse(given, { error: inFewWords });
    return success ? undefined : problemsOf(error);
  } catch {
    // zod throws on a map with the key `length`. The schema of the CRD keeps such a map out of the cluster.
    return [{ field: 'spec', problem: 'is not the spec of a ReleasePolicy' }];
  }
};

/** Words for the problems that schema.ts leaves to zod. */
const inFewWords: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_key') return 'is not the key of a label';
  if (issue.code !== 'invalid_type') return undefined;
  return issue.input === undefined ? 'is missing' : `is not of type ${issue.expected}`;
};

/** The first problem of each field. Later problems of a field mostly follow from its first. */
const problemsOf = ({ issues }: z.ZodError): readonly PolicyProblem[] => {
  const problems = new Map<string, string>();
  const report = (path: readonly PropertyKey[], problem: string): void => {
    const field = fieldOf(path);
    if (problems.size < MAX_PROBLEMS && !problems.has(field)) problems.set(field, problem);
  };
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) report([...issue.path, key], 'is no field of a ReleasePolicy');
    } else {
      report(issue.path, issue.message);
    }
  }
  return [...problems].map(([field, problem]) => ({ field, problem }));
};

/** Keys of maps, such as labels, stand in brackets, as the indexes of lists do. */
const fieldOf = (path: readonly PropertyKey[]): string =>
  showPath(
    path.reduce<string>((field, key) => {
      const isName = typeof key === 'string' && /^[A-Za-z][0-9A-Za-z]*$/.test(key) && !field.endsWith('.matchLabels');
      return isName ? `${field}.${key}` : `${field}[${String(key)}]`;
    }, 'spec'),
  );

const durationOr = (text: string | undefined, otherwiseMs: number): number =>
  (text === undefined ? undefined : parseDuration(text)) ?? otherwiseMs;

/** YAML reads a bare `Off` as false. */
const readAction = <T extends string>(action: T | false | undefined): T | 'Off' | undefined =>
  action === false ? 'Off' : action;

/** An empty text counts as none. */
const filled = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const toPolicy = (name: string, spec: ReleasePolicySpec, { staleAfterMs }: PolicyDefaults): Policy => {
  const builtIn = builtInPolicy(staleAfterMs);
  const { operations, versions, drift, freeze } = spec;
  return {
    name,
    priority: spec.priority ?? builtIn.priority,
    matches: compileMatch(spec.match),
    operations: {
      action: readAction(operations?.action) ?? builtIn.operations.action,
      staleAfterMs: durationOr(operations?.staleAfter, builtIn.operations.staleAfterMs),
    },
    versions: {
      action: readAction(versions?.action) ?? builtIn.versions.action,
      downgrade: versions?.downgrade ?? builtIn.versions.downgrade,
      range: filled(versions?.range),
    },
    drift: {
      action: readAction(drift?.action) ?? builtIn.drift.action,
      users: drift?.users ?? builtIn.drift.users,
      serviceAccounts: drift?.serviceAccounts ?? builtIn.drift.serviceAccounts,
      ignore: (drift?.ignore ?? []).map(toIgnoreRule),
      allow: (drift?.allow ?? []).map(toAllowRule),
      presets: drift?.presets ?? [],
      trusted: (drift?.trusted ?? []).map(toTrusted),
      dryRun: drift?.dryRun ?? builtIn.drift.dryRun,
      repair: {
        action: readAction(drift?.repair?.action) ?? builtIn.drift.repair.action,
        prune: drift?.repair?.prune ?? builtIn.drift.repair.prune,
        intervalMs: durationOr(drift?.repair?.interval, builtIn.drift.repair.intervalMs),
      },
    },
    freeze: {
      action: readAction(freeze?.action) ?? builtIn.freeze.action,
      reason: filled(freeze?.reason),
      windows: (freeze?.windows ?? []).map(toWindow),
    },
  };
};

const compileMatch = ({
  namespaceSelector,
  releases,
}: NonNullable<ReleasePolicySpec['match']> = {}): Policy['matches'] => {
  const matchesNamespace = compileSelector(namespaceSelector ?? {});
  const matchesName = compileGlobs(releases ?? ['*']);
  return ({ name, namespaceLabels }) => matchesName(name) && matchesNamespace(namespaceLabels);
};

type Drift = NonNullable<ReleasePolicySpec['drift']>;

const toIgnoreRule = ({ group, kind, name, paths }: NonNullable<Drift['ignore']>[number]): IgnoreRule => ({
  group: group ?? '*',
  kind,
  matchesName: compileGlobs([name ?? '*']),
  paths,
});

const toAllowRule = ({ subjects, whileFrozen = false, ...rule }: NonNullable<Drift['allow']>[number]): AllowRule => ({
  ...toIgnoreRule(rule),
  subjects: subjects.map(toSubject),
  whileFrozen,
});

type Trusted = NonNullable<Drift['trusted']>[number];

const toSubject = ({ kind, namespace = '', name }: Pick<Trusted, 'kind' | 'namespace' | 'name'>): PolicySubject =>
  kind === 'ServiceAccount' ? { kind, namespace, name } : { kind, name };

const toTrusted = ({ whileFrozen = false, ...subject }: Trusted): TrustedSubject => ({
  ...toSubject(subject),
  ...(whileFrozen && { whileFrozen }),
});

type Window = NonNullable<NonNullable<ReleasePolicySpec['freeze']>['windows']>[number];

const toWindow = ({ schedule, duration, timeZone = 'UTC', reason }: Window): FreezeWindow => ({
  schedule,
  durationMs: durationOr(duration, 0),
  timeZone,
  reason,
});
