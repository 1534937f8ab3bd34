import type { Denial, FieldChange } from '../../rules/verdict.ts';
import { showName, showPath, showValue } from '../../text/escape.ts';
import {
  applyPreset,
  editInVersion,
  helmUninstall,
  helmUpgrade,
  openRelease,
  repairRelease,
  restartPods,
} from './commands.ts';
import { type Cause, type Explanation, HOOK_OF_UNINSTALL, showRefusal, showRelease } from './explanation.ts';
import { showOwnerChange } from './ownership.ts';

type Drift = Extract<Denial, { code: 'BelayDrift' }>;

/** How many changes fit on a terminal. Programs get more of them, in `causes`. */
const MAX_SHOWN_FIELDS = 10;
const MAX_FIELD_CAUSES = 20;

const OPEN_FOR_MS = 3_600_000;

export const explainDrift = (denial: Drift, nowMs: number): Explanation => {
  const { attempt, release, object, governing, recordKind, changes, endsDeletion, isHook } = denial;
  const values = changes.filter(({ owners }) => owners === undefined);
  const owned = changes.filter(({ owners }) => owners !== undefined);
  const shownOwned = Math.max(0, MAX_SHOWN_FIELDS - values.length);
  return {
    headline: `${showRefusal(attempt, release, object)}: Helm ${showRelease(release)} manages it`,
    lines: [
      `governed by: revision ${governing.revision}, chart ${showName(governing.chart)}`,
      ...(isHook ? [HOOK_OF_UNINSTALL] : []),
      ...(endsDeletion ? ['it is being deleted already, and is gone as soon as its last finalizer is'] : []),
      ...listChanges('changed:', denial, values, MAX_SHOWN_FIELDS),
      ...listChanges(OWNERS_CHANGED, denial, owned, shownOwned),
      ...inChartVersion(object, changes),
      ...(isHook
        ? ['Helm creates it:', `  ${helmUninstall(release)}`]
        : [
            `${values.length === 0 && owned.length > 0 ? INSTEAD_OF_OWNERS : INSTEAD[attempt]}:`,
            `  ${helmUpgrade(release)}`,
          ]),
      // Of all commands, only this one is known to bring back nothing beside the chart.
      ...(attempt === 'create' && !isHook ? ['or exactly as the chart has it:', `  ${repairRelease(release)}`] : []),
      ...showRestart(denial),
      ...showPreset(denial),
      'or, if you may, open the release to changes by hand for an hour:',
      `  ${openRelease(recordKind, release, nowMs + OPEN_FOR_MS)}`,
    ],
    causes: changes.slice(0, MAX_FIELD_CAUSES).map(
      (change): Cause => ({
        reason: denial.code,
        field: showPath(change.path),
        message: showChange(denial, change),
      }),
    ),
  };
};

/** Helm 4 conflicts with whoever else owns a field that it changes, and removes only what it owns. */
const OWNERS_CHANGED =
  'these fields would belong to others (metadata.managedFields), and the next upgrade would fail by them or leave them behind:';

const INSTEAD_OF_OWNERS =
  'leave metadata.managedFields alone, and apply only fields that the chart does not set; or change them in the chart or its values';

/** Where the version of the request loses fields, the write may be all right in that of the chart. */
const inChartVersion = (object: Drift['object'], changes: readonly FieldChange[]): readonly string[] => {
  const lost = changes.find((change) => change.lost !== undefined)?.lost;
  return lost === undefined ? [] : ["write it in the chart's version:", `  ${editInVersion(object, lost.chart)}`];
};

const listChanges = (title: string, denial: Drift, changes: readonly FieldChange[], max: number): readonly string[] => {
  if (changes.length === 0) return [];
  const more = changes.length - max;
  return [
    title,
    ...changes.slice(0, max).map((change) => `  ${showPath(change.path)}: ${showChange(denial, change)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
};

const IN_TEMPLATE = '/spec/template/metadata/annotations/';

/** A change of nothing but the annotations of the Pod template is meant to restart the Pods. */
const showRestart = ({ attempt, object, changes }: Drift): string[] => {
  const isRestart =
    attempt === 'change' && changes.length > 0 && changes.every(({ pointer }) => pointer.startsWith(IN_TEMPLATE));
  const command = isRestart ? restartPods(object) : undefined;
  return command === undefined ? [] : ['or, to restart its Pods and change nothing else:', `  ${command}`];
};

const showPreset = ({ preset }: Drift): string[] =>
  preset === undefined
    ? []
    : [
        'if this is the controller that it is called after, for someone who may change policies:',
        `  ${preset.title}: ${applyPreset(preset.name, preset.account, preset.policy)}`,
      ];

const INSTEAD: Record<Drift['attempt'], string> = {
  change: 'change it in the chart or its values',
  scale: 'change the number of replicas in the chart or its values',
  delete: 'take it out of the chart or switch it off in its values',
  create: 'bring it back with the chart',
};

const showChange = (denial: Drift, change: FieldChange): string => {
  if (change.lost !== undefined) return `would be lost, because ${showName(change.lost.asked)} has no such field`;
  if (change.owners !== undefined) return showOwnerChange(change.owners);
  const show = isHidden(denial, change) ? showHidden : showValue;
  return `${show(change.before)} -> ${show(change.after)}`;
};

const showHidden = (value: unknown): string => (value === undefined ? '(not set)' : '(hidden)');

/**
 * The rule marks secret values. Of a Secret, other values are shown only where they are known to be harmless: kubectl keeps a
 * copy of the whole object in the annotation `kubectl.kubernetes.io/last-applied-configuration`.
 */
const isHidden = ({ object }: Drift, { secret, pointer }: FieldChange): boolean =>
  secret || (object.kind === 'Secret' && object.group === '' && !HARMLESS_IN_SECRET.test(pointer));

const HARMLESS_IN_SECRET = /^\/(type|immutable|metadata\/labels|metadata\/annotations\/meta\.helm\.sh~1[^/]+)(\/|$)/;
