import type { HelmStatus } from '../../helm/record.ts';
import { escapeText, quoteText, showName } from '../../text/escape.ts';
import { showDuration, showTime } from '../../text/when.ts';
import type { Cell } from '../output/table.ts';
import type { Lock } from '../releases/locks.ts';
import type { ReleaseView } from '../releases/release-view.ts';

export interface RowOptions {
  readonly wide: boolean;
  readonly allNamespaces: boolean;
  readonly nowMs: number;
}

const NONE = '<none>';
const UNKNOWN = '<unknown>';

const STYLES: Partial<Record<HelmStatus, Cell['style']>> = {
  deployed: 'green',
  failed: 'red',
  uninstalling: 'yellow',
  'pending-install': 'yellow',
  'pending-upgrade': 'yellow',
  'pending-rollback': 'yellow',
};

export const statusHeads = ({ wide, allNamespaces }: RowOptions): readonly Cell[] =>
  [
    ...(allNamespaces ? ['NAMESPACE'] : []),
    'NAME',
    'CHART',
    'REVISION',
    'STATUS',
    'LOCK',
    'HOLDER',
    'POLICY',
    'AGE',
    ...(wide ? ['DRIFT', 'UNTIL', 'VERSIONS', 'REASON'] : []),
  ].map((text) => ({ text }));

export const showChart = ({ chart }: Pick<ReleaseView, 'chart'>): string =>
  chart === undefined || chart.name === '' ? UNKNOWN : showName(`${chart.name}-${chart.version}`);

/** Marks drift as kubectl marks a Node: `Ready,SchedulingDisabled`. No mark: no drift was found, or nothing is known. */
const statusCell = ({ newest, isDrifted }: ReleaseView): Cell => {
  if (isDrifted) return { text: `${newest.status},drifted`, style: 'yellow' };
  const style = STYLES[newest.status];
  return { text: newest.status, ...(style === undefined ? {} : { style }) };
};

const showDrift = ({ isDrifted }: ReleaseView): string =>
  isDrifted === undefined ? UNKNOWN : isDrifted ? 'detected' : NONE;

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

const lockCell = ({ locks, areLocksComplete }: ReleaseView): Cell => {
  const kinds = unique(locks.map(({ kind }) => kind));
  if (kinds.length === 0) return { text: areLocksComplete ? NONE : UNKNOWN };
  return { text: kinds.join(','), style: kinds.includes('frozen') ? 'cyan' : 'yellow' };
};

const showHolder = ({ operation }: ReleaseView, nowMs: number): string => {
  if (operation.state === 'idle') return NONE;
  const { operation: kind, holder, sinceMs } = operation.state === 'dead' ? operation.was : operation.inFlight;
  const state = operation.state === 'dead' ? `${operation.reason} ` : '';
  return `${state}${kind} by ${holder === undefined ? UNKNOWN : showName(holder)} (${showDuration(nowMs - sinceMs)})`;
};

export const showPolicyName = ({ policy }: Pick<ReleaseView, 'policy'>): string =>
  policy === undefined ? UNKNOWN : policy.name === undefined ? NONE : showName(policy.name);

/** The latest end among the locks that have an end. */
const showUntil = (locks: readonly Lock[]): string => {
  const ends = locks.flatMap(({ untilMs }) => untilMs ?? []);
  return ends.length === 0 ? NONE : showTime(Math.max(...ends));
};

const joined = (texts: readonly (string | undefined)[]): string =>
  unique(texts.filter((text) => text !== undefined && text !== '').map((text) => text as string)).join('; ') || NONE;

export const statusRow = (view: ReleaseView, options: RowOptions): readonly Cell[] => {
  const { release, newest, locks } = view;
  const { nowMs } = options;
  return [
    ...(options.allNamespaces ? [{ text: showName(release.namespace) }] : []),
    { text: showName(release.name) },
    { text: showChart(view) },
    { text: String(newest.revision) },
    statusCell(view),
    lockCell(view),
    { text: showHolder(view, nowMs) },
    { text: showPolicyName(view) },
    { text: showDuration(Math.max(0, nowMs - newest.updatedAtMs)) },
    ...(options.wide
      ? [
          { text: showDrift(view) },
          { text: showUntil(locks) },
          { text: joined(locks.map(({ range }) => range && quoteText(range))) },
          { text: joined(locks.map(({ reason }) => reason && escapeText(reason))) },
        ]
      : []),
  ];
};
