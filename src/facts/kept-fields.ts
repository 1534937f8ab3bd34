import type { SchemaNode } from '../rules/drift/kind-versions.ts';

/** The parts of a CustomResourceDefinition (apiextensions.k8s.io/v1) that say which fields each version keeps. */
export interface CustomResourceDefinition {
  readonly spec?: {
    readonly group?: string;
    readonly preserveUnknownFields?: boolean;
    readonly conversion?: { readonly strategy?: string };
    readonly versions?: readonly { readonly name: string; readonly schema?: { readonly openAPIV3Schema?: Schema } }[];
  };
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
}

const NOTHING: SchemaNode = { keepsAll: false, properties: new Map(), values: undefined, items: undefined };
const EVERYTHING: SchemaNode = { ...NOTHING, keepsAll: true };

/** Deeper than any definition that is there. What lies below is taken to be kept. */
const MAX_DEPTH = 100;

const toNode = (schema: Schema, depth = 0): SchemaNode => {
  if (depth >= MAX_DEPTH) return EVERYTHING;
  const { properties = {}, additionalProperties: more, items } = schema;
  const below = (inner: Schema): SchemaNode => toNode(inner, depth + 1);
  return {
    keepsAll:
      schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-embedded-resource'] === true,
    properties: new Map(Object.entries(properties).map(([name, inner]) => [name, below(inner)])),
    values: more === true ? EVERYTHING : more ? below(more) : undefined,
    items: items && below(items),
  };
};

/**
 * The fields of each `apiVersion`, where the API server converts by changing `apiVersion` alone. Undefined where a webhook converts, because
 * a field may have another name or place in another version.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning
 */
export const fieldsOfVersions = ({
  spec = {},
}: CustomResourceDefinition): ReadonlyMap<string, SchemaNode> | undefined => {
  const { group = '', preserveUnknownFields, conversion, versions = [] } = spec;
  if (preserveUnknownFields === true || (conversion?.strategy ?? 'None') !== 'None') return undefined;
  return new Map(
    versions.map(({ name, schema }) => [`${group}/${name}`, toNode(schema?.openAPIV3Schema ?? {})] as const),
  );
};
