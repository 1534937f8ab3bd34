import { parse } from 'yaml';
import { compareVersions, parseVersion } from '../../helm/chart-version.ts';
import type { Chart } from '../../helm/names.ts';

/** Whether the chart is newer than what is deployed. Another chart is no older version; one whose version cannot be read is newer unless it is the same text. */
export const isNewer = (chart: Chart, deployed: Chart): boolean => {
  if (chart.name !== deployed.name) return true;
  const [next, now] = [parseVersion(chart.version), parseVersion(deployed.version)];
  if (next === undefined || now === undefined) return chart.version !== deployed.version;
  return compareVersions(next, now) > 0;
};

/** Reads what `helm show chart` prints: the chart's Chart.yaml. Undefined when it is not that. */
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
