import { stringify } from 'yaml';
import { z } from 'zod';
import { releasePolicySpec } from './schema.ts';

/** A schema of a CustomResourceDefinition: https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/ */
type Schema = Readonly<Record<string, unknown>>;

/**
 * The schema of `spec`, in OpenAPI 3.0 as the API server takes it.
 * - It refuses `additionalProperties` beside `properties`. It drops unknown fields by itself and warns kubectl, which then refuses the
 *   object (`--validate=strict` is the default).
 * - It wants one type for each value. An `enum` with `false` has two, so it is marked in place of a type; its values are checked all the same.
 */
const specSchema = (): Schema =>
  z.toJSONSchema(releasePolicySpec, {
    target: 'openapi-3.0',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.enum?.includes(false)) {
        delete jsonSchema.type;
        jsonSchema['x-kubernetes-preserve-unknown-fields'] = true;
      }
    },
  });

const text = (description: string, maxLength: number): Schema => ({ type: 'string', description, maxLength });

const generation = (description: string): Schema => ({ type: 'integer', format: 'int64', description, minimum: 0 });

/** metav1.Condition. */
const CONDITION: Schema = {
  type: 'object',
  required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
  properties: {
    type: text('Ready: whether the newest version of the policy could be read, and holds.', 316),
    status: { type: 'string', description: 'True, False or Unknown.', enum: ['True', 'False', 'Unknown'] },
    observedGeneration: generation('The metadata.generation that it speaks of.'),
    lastTransitionTime: { type: 'string', format: 'date-time', description: 'When the status last changed.' },
    reason: { ...text('Why, as one word for programs.', 1024), minLength: 1 },
    message: text('Why, for people.', 32_768),
  },
};

const STATUS_SCHEMA: Schema = {
  type: 'object',
  description: 'What Belay made of the policy. Only Belay writes it.',
  properties: {
    observedGeneration: generation('The newest metadata.generation that Belay has looked at.'),
    conditions: {
      type: 'array',
      description: 'Ready, and why not.',
      items: CONDITION,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
    matchedReleases: {
      type: 'integer',
      format: 'int32',
      minimum: 0,
      description: 'Releases for which this policy is the one in force.',
    },
    accepted: {
      type: 'object',
      description:
        'The newest version that could be read. A broken one that got in while Belay was down is ignored, and this one stays in force.',
      properties: {
        generation: generation('Its metadata.generation.'),
        spec: {
          type: 'object',
          description: 'Its spec.',
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    },
  },
};

const column = (name: string, type: string, jsonPath: string, description: string, more = {}): Schema => ({
  name,
  type,
  jsonPath,
  description,
  ...more,
});

/** For a column that only `kubectl get -o wide` shows. */
const WIDE = { priority: 1 };

const READY = '.status.conditions[?(@.type=="Ready")]';
const UNSET = 'empty: Deny';

const COLUMNS: readonly Schema[] = [
  column(
    'Priority',
    'integer',
    '.spec.priority',
    'Of the policies that match a release, the highest is in force; empty: 0',
  ),
  column('Ready', 'string', `${READY}.status`, 'Whether the policy could be read'),
  column('Releases', 'integer', '.status.matchedReleases', 'Releases for which it is the one in force'),
  column('Operations', 'string', '.spec.operations.action', `What happens to concurrent operations; ${UNSET}`),
  column('Versions', 'string', '.spec.versions.action', `What happens to forbidden versions; ${UNSET}`),
  column('Drift', 'string', '.spec.drift.action', `What happens to manual changes; ${UNSET}`),
  column('Frozen', 'string', '.spec.freeze.reason', 'Why everything is frozen; windows are not shown'),
  column('Reason', 'string', `${READY}.message`, 'Why it is not ready', WIDE),
  column('Age', 'date', '.metadata.creationTimestamp', 'Since when it is there'),
];

/** The CustomResourceDefinition of ReleasePolicy. */
export const releasePolicyCrd = (): Schema => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'releasepolicies.belay.dev', labels: { 'app.kubernetes.io/name': 'belay' } },
  spec: {
    group: 'belay.dev',
    scope: 'Cluster',
    names: {
      kind: 'ReleasePolicy',
      listKind: 'ReleasePolicyList',
      plural: 'releasepolicies',
      singular: 'releasepolicy',
      shortNames: ['rpol'],
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: COLUMNS,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description:
              'What Belay lets happen to the Helm releases that it matches. Without any, the defaults hold for every release.',
            properties: {
              apiVersion: { type: 'string', description: 'belay.dev/v1alpha1' },
              kind: { type: 'string', description: 'ReleasePolicy' },
              metadata: { type: 'object' },
              spec: { ...specSchema(), description: 'What holds; everything may be left out.' },
              status: STATUS_SCHEMA,
            },
          },
        },
      },
    ],
  },
});

const HEAD = `# Made by \`make generate\` of src/policy/schema.ts and src/policy/crd.ts: what is changed here by hand is lost.
`;

/** The manifest in manifests/, as text. */
export const releasePolicyCrdText = (): string =>
  HEAD + stringify(releasePolicyCrd(), { lineWidth: 140, aliasDuplicateObjects: false, version: '1.1' });
