import type { Denial, FieldChange } from '../../rules/verdict.ts';
import { showName, showPath, showValue } from '../../text/escape.ts';
import { applyPreset, helmUpgrade, openRelease, repairRelease, restartPods } from './commands.ts';
import { type Cause, type Explanation, showRefusal, showRelease } from './explanation.ts';

type Drift = Extract<Denial, { code: 'BelayDrift' }>;

/** A terminal's worth. Programs get some more, in `causes`. */
const MAX_SHOWN_FIELDS = 10;
const MAX_FIELD_CAUSES = 20;

const OPEN_FOR_MS = 3_600_000;

export const explainDrift = (denial: Drift, nowMs: number): Explanation => {
  const { attempt, release, object, governing, recordKind, changes } = denial;
  const more = changes.length - MAX_SHOWN_FIELDS;
  return {
    headline: `${showRefusal(attempt, release, object)}: Helm ${showRelease(release)} manages it`,
    lines: [
      `governed by: revision ${governing.revision}, chart ${showName(governing.chart)}`,
      ...(changes.length > 0 ? ['changed:'] : []),
      ...changes
        .slice(0, MAX_SHOWN_FIELDS)
        .map((change) => `  ${showPath(change.path)}: ${showChange(denial, change)}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
      `${INSTEAD[attempt]}:`,
      `  ${helmUpgrade(release)}`,
      // Only that is known to bring back nothing but what the chart says.
      ...(attempt === 'create' ? ['or exactly as the chart has it:', `  ${repairRelease(release)}`] : []),
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
  const show = isHidden(denial, change) ? showHidden : showValue;
  return `${show(change.before)} -> ${show(change.after)}`;
};

const showHidden = (value: unknown): string => (value === undefined ? '(not set)' : '(hidden)');

/**
 * The rule marks what is secret. In a Secret nothing else is shown either but what is known to be harmless: kubectl keeps a
 * copy of the whole object in the annotation `kubectl.kubernetes.io/last-applied-configuration`.
 */
const isHidden = ({ object }: Drift, { secret, pointer }: FieldChange): boolean =>
  secret || (object.kind === 'Secret' && object.group === '' && !HARMLESS_IN_SECRET.test(pointer));

const HARMLESS_IN_SECRET = /^\/(type|immutable|metadata\/labels|metadata\/annotations\/meta\.helm\.sh~1[^/]+)(\/|$)/;
