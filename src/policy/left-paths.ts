import { type ObjectRef, serviceAccountUser, type UserInfo } from '../kubernetes/object.ts';
import type { AllowRule, IgnoreRule, Policy } from './policy.ts';
import type { Preset, PresetAccount } from './presets/preset.ts';
import { AUTO, findPreset } from './presets/presets.ts';
import { appliesTo, ignoredPathsFor, isAmong } from './subjects.ts';

type Drift = Policy['drift'];

/** A user who writes an object of a chart. */
export interface FieldWriter {
  readonly user: Pick<UserInfo, 'username' | 'groups'>;
  readonly object: ObjectRef;
  /** The object as the chart has it. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** What decides beside the policy which fields are left to others than the chart. */
export interface LeftWhen {
  /** The presets that `auto` stands for. */
  readonly installed: readonly Preset[];
  /** Whether an autoscaler of Pods sets the number of replicas. */
  readonly autoscaled: boolean;
}

export const NOTHING_MORE: LeftWhen = { installed: [], autoscaled: false };

const REPLICAS = '/spec/replicas';

/** Most combinations that are kept for one policy, as in `ignoredPathsFor`. */
const MAX_COMBINATIONS = 256;

const combinations = new WeakMap<readonly IgnoreRule[], Map<string, readonly string[]>>();

/** The same paths give the same array, because findDrift compiles each array once. */
const joined = (
  rules: readonly IgnoreRule[],
  ignored: readonly string[],
  more: readonly string[],
): readonly string[] => {
  if (more.length === 0) return ignored;
  const paths = [...new Set([...ignored, ...more])];
  const key = paths.join('\n');
  let known = combinations.get(rules);
  if (known === undefined) {
    known = new Map();
    combinations.set(rules, known);
  }
  const same = known.get(key);
  if (same !== undefined) return same;
  if (known.size >= MAX_COMBINATIONS) known.clear();
  known.set(key, paths);
  return paths;
};

const presetsOf = ({ presets }: Drift, installed: readonly Preset[]): readonly Preset[] =>
  presets.flatMap((name) => (name === AUTO ? installed : (findPreset(name) ?? [])));

const pathsOf = (preset: Preset, object: ObjectRef): readonly string[] =>
  preset.fields.flatMap(({ group, kind, paths }) =>
    appliesTo({ group, kind, matchesName: () => true, paths }, object) ? paths : [],
  );

/** Whether the user is a service account of the controller. */
export const isAccount = (
  { namespace, name, nameIn }: PresetAccount,
  { user, object, document }: FieldWriter,
): boolean => {
  const called = nameIn === undefined ? name : nameIn(document, object);
  return called !== undefined && user.username === serviceAccountUser(namespace ?? object.namespace, called);
};

const mayWrite = (rule: AllowRule, { user, object }: FieldWriter): boolean =>
  appliesTo(rule, object) && isAmong(rule.subjects, user);

/** The paths in an object that a policy leaves to the user, those that it ignores among them. */
export const leftPathsFor = (
  drift: Drift,
  writer: FieldWriter,
  { installed, autoscaled }: LeftWhen,
  frozen: boolean,
): readonly string[] => {
  const ignored = ignoredPathsFor(drift.ignore, writer.object);
  const allowed = drift.allow.filter((rule) => (!frozen || rule.whileFrozen) && mayWrite(rule, writer));
  const presets = frozen
    ? []
    : presetsOf(drift, installed).filter(({ accounts }) => accounts.some((account) => isAccount(account, writer)));
  return joined(drift.ignore, ignored, [
    ...allowed.flatMap(({ paths }) => paths),
    ...presets.flatMap((preset) => pathsOf(preset, writer.object)),
    ...(autoscaled && !frozen ? [REPLICAS] : []),
  ]);
};

/**
 * The paths in an object that a policy leaves to anybody but the chart. The sweep cannot tell who wrote a field: `managedFields` name programs,
 * and any user may choose that name.
 */
export const leftPathsOf = (drift: Drift, object: ObjectRef, { installed, autoscaled }: LeftWhen): readonly string[] =>
  joined(drift.ignore, ignoredPathsFor(drift.ignore, object), [
    ...drift.allow.flatMap((rule) => (appliesTo(rule, object) ? rule.paths : [])),
    ...presetsOf(drift, installed).flatMap((preset) => pathsOf(preset, object)),
    ...(autoscaled ? [REPLICAS] : []),
  ]);

/** Whether the policy has `auto`, which asks what is installed. */
export const asksForInstalled = ({ presets }: Drift): boolean => presets.includes(AUTO);
