import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { releasePolicyCrdText } from '../src/policy/crd.ts';
import { withValuesTable } from './chart-readme.ts';
import { chartTemplates } from './chart-templates.ts';
import { ROOT } from './product.ts';

const read = (path: string): Promise<string> => readFile(join(ROOT, 'manifests', path), 'utf8');

const MADE = '# Made by `make generate` of manifests/monitoring/alerts.yaml: what is changed here by hand is lost.\n';

/** Files for kustomize alone. The chart has its own, with the user's labels. */
const prometheusRule = (alerts: string): string => {
  const indented = alerts.replaceAll(/^(?=.)/gm, '  ').trimEnd();
  const metadata = { name: 'belay', namespace: 'belay-system', labels: { 'app.kubernetes.io/name': 'belay' } };
  const head = stringify({ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata });
  return `${MADE}${head}spec:\n${indented}\n`;
};

/** Everything that is made of other files and checked in for the chart and for the components; by path from the project's root on. */
export const chartFiles = async (): Promise<Readonly<Record<string, string>>> => {
  const [alerts, dashboard, readme, values] = await Promise.all(
    ['monitoring/alerts.yaml', 'monitoring/dashboard.json', 'chart/README.md', 'chart/values.yaml'].map(read),
  );
  return {
    ...(await chartTemplates()),
    'manifests/chart/crds/release-policy-crd.yaml': releasePolicyCrdText(),
    'manifests/chart/files/alerts.yaml': MADE + alerts,
    'manifests/chart/files/dashboard.json': dashboard ?? '',
    'manifests/chart/README.md': withValuesTable(readme ?? '', values ?? ''),
    'manifests/components/prometheus-rule/prometheus-rule.yaml': prometheusRule(alerts ?? ''),
    'manifests/components/dashboard/dashboard.json': dashboard ?? '',
  };
};
