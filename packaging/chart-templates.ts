import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './product.ts';

/**
 * The chart's templates that hold the same objects as the manifests for kustomize, made of those: one place to change a rule of RBAC or
 * a webhook. What depends on more than names (the Deployment, what is optional) is written by hand in manifests/chart/templates.
 */
interface Source {
  readonly from: string;
  /** The condition under which the template is rendered. */
  readonly when?: string;
}

const BY_CERT_MANAGER = 'eq .Values.certificates.mode "cert-manager"';

const TEMPLATES: Readonly<Record<string, Source>> = {
  'cert-manager-certificates.yaml': { from: 'overlays/cert-manager/certificates.yaml', when: BY_CERT_MANAGER },
  'cert-manager-issuers.yaml': { from: 'overlays/cert-manager/issuers.yaml', when: BY_CERT_MANAGER },
  'cluster-roles.yaml': { from: 'base/cluster-roles.yaml' },
  'mutating-webhooks.yaml': { from: 'base/mutating-webhooks.yaml' },
  'policy-roles.yaml': { from: 'base/policy-roles.yaml' },
  'release-roles.yaml': { from: 'base/release-roles.yaml' },
  'service-account.yaml': { from: 'base/service-account.yaml' },
  'validating-webhooks.yaml': { from: 'base/validating-webhooks.yaml' },
  'sweep-role.yaml': { from: 'overlays/drift/sweep-role.yaml', when: '.Values.drift.sweep' },
  'readable-kinds.yaml': { from: 'overlays/drift/readable-kinds.yaml', when: '.Values.drift.sweep' },
  'writable-kinds.yaml': { from: 'overlays/repair/writable-kinds.yaml', when: '.Values.drift.repair' },
};

/** Webhooks whose failurePolicy is a value. The others cannot be told otherwise: a promise of Belay hangs on each. */
const FAILURE_POLICIES: Readonly<Record<string, string>> = {
  'objects.belay.dev': '.Values.failurePolicies.objects',
  'subresources.belay.dev': '.Values.failurePolicies.objects',
  'hooks.belay.dev': '.Values.failurePolicies.objects',
  'scale.belay.dev': '.Values.failurePolicies.scale',
  'namespace-deletes.belay.dev': '.Values.failurePolicies.namespaceDeletes',
};

/** Below the labels of a webhook configuration. */
const INJECT_CA_FROM = `  {{- if ${BY_CERT_MANAGER} }}
  annotations:
    cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/belay-serving
  {{- end }}`;

const CHART_LABELS = '    {{- include "belay.chartLabels" . | nindent 4 }}';

const withFailurePolicies = (text: string): string => {
  let value: string | undefined;
  return text
    .split('\n')
    .map((line) => {
      const [, webhook] = /^ {2}- name: (.+)$/.exec(line) ?? [];
      if (webhook !== undefined) value = FAILURE_POLICIES[webhook];
      return value === undefined ? line : line.replace(/^( {4}failurePolicy: ).+$/, `$1{{ ${value} }}`);
    })
    .join('\n');
};

/** `when` stands around each document, so that one that is left out leaves nothing but comments. */
export const toTemplate = (manifest: string, when?: string): string => {
  const body = withFailurePolicies(manifest)
    // In names, in selectors and in the name of Belay's user: all follow the namespace of the release.
    .replaceAll('belay-system', '{{ .Release.Namespace }}')
    .replaceAll(/^ {4}app\.kubernetes\.io\/name: belay$/gm, `$&\n${CHART_LABELS}`)
    .replaceAll(/^webhooks:$/gm, `${INJECT_CA_FROM}\n$&`)
    .replaceAll(
      /^ {4}rbac\.authorization\.k8s\.io\/aggregate-to-\w+: "true"$/gm,
      '    {{- if .Values.roles.aggregate }}\n$&\n    {{- end }}',
    )
    .trimEnd();
  return when === undefined ? `${body}\n` : `{{- if ${when} }}\n${body}\n{{- end }}\n`;
};

/** Paths from the project's root on, with what is in each. */
export const chartTemplates = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(TEMPLATES).map(async ([name, { from, when }]) => {
        const manifest = await readFile(join(ROOT, 'manifests', from), 'utf8');
        const origin = `{{- /* Made by \`make generate\` of manifests/${from}: what is changed here by hand is lost. */}}\n`;
        return [`manifests/chart/templates/${name}`, origin + toTemplate(manifest, when)] as const;
      }),
    ),
  );
