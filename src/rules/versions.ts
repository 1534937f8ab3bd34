import { parseRange } from '../helm/chart-range.ts';
import { type ChartVersion, compareVersions, parseVersion } from '../helm/chart-version.ts';
import type { Chart, OperationKind, ReleaseName } from '../helm/names.ts';
import type { LockSource, Pin } from '../policy/lock.ts';
import { deny, type Verdict } from './verdict.ts';

export interface VersionLocks {
  readonly pins: readonly Pin[];
  /** Where downgrades are forbidden, by `belay.dev/no-downgrade` or a policy. */
  readonly noDowngrades: readonly LockSource[];
}

export interface VersionMove {
  readonly release: ReleaseName;
  readonly operation: OperationKind;
  /** The incoming revision's chart. */
  readonly chart: Chart;
  /** The deployed revision's chart; undefined where nothing is deployed. */
  readonly deployed: Chart | undefined;
}

const isInside = (pin: Pin, version: ChartVersion): boolean => parseRange(pin.range)?.includes(version) ?? false;

/** A rollback to the chart that is deployed, as after a failed upgrade: it brings no new version. */
const isReturn = ({ operation, chart, deployed }: VersionMove): boolean =>
  operation === 'rollback' && deployed?.name === chart.name && deployed.version === chart.version;

/** Refuses a version outside a pin or below the deployed version (docs/design.md#locks); undefined when the move is allowed. */
export const refuseVersion = (move: VersionMove, { pins, noDowngrades }: VersionLocks): Verdict | undefined => {
  const { release, operation, chart, deployed } = move;
  if (operation === 'uninstall' || isReturn(move)) return undefined;
  const version = parseVersion(chart.version);
  const refuse = (problem: 'chart' | 'version' | 'unreadable', broken: readonly Pin[]): Verdict =>
    deny({ code: 'BelayPinned', release, attempt: operation, chart, deployed, problem, pins: broken });
  if (pins.length > 0) {
    if (deployed !== undefined && deployed.name !== chart.name) return refuse('chart', pins);
    if (version === undefined) return refuse('unreadable', pins);
    const broken = pins.filter((pin) => !isInside(pin, version));
    if (broken.length > 0) return refuse('version', broken);
  }
  if (noDowngrades.length > 0 && deployed !== undefined && deployed.name === chart.name) {
    const floor = parseVersion(deployed.version);
    const isLower = version === undefined || (floor !== undefined && compareVersions(version, floor) < 0);
    if (isLower)
      return deny({ code: 'BelayDowngrade', release, attempt: operation, chart, deployed, sources: noDowngrades });
  }
  return undefined;
};
