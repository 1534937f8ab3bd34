import { parse } from 'yaml';
import { compareVersions, parseVersion } from '../../helm/chart-version.ts';
import type { Chart } from '../../helm/names.ts';

/**
 * Whether the chart is newer than the deployed one. A chart of another name counts as newer. So does a version that cannot be read, unless the
 * texts are equal.
 */
export const isNewer = (chart: Chart, deployed: Chart): boolean => {
  if (chart.name !== deployed.name) return true;
  const [next, now] = [parseVersion(chart.version), parseVersion(deployed.version)];
  if (next === undefined || now === undefined) return chart.version !== deployed.version;
  return compareVersions(next, now) > 0;
};

/** Reads the output of `helm show chart`, which is a Chart.yaml. Undefined: it is something else. */
export const readChart = (yaml: string): Chart | undefined => {
  try {
    const { name, version } = parse(yaml) as { name?: unknown; version?: unknown };
    return typeof name === 'string' && (typeof version === 'string' || typeof version === 'number')
      ? { name, version: String(version) }
      : undefined;
  } catch {
    return undefined;
  }
};
