import { releasePolicyCrd } from '../../src/policy/crd.ts';
import { ACTIONS } from '../../src/policy/schema/fields.ts';
import { code, codes, prose, section, subsection, table } from './markdown.ts';

/** The parts of OpenAPI that the definition of ReleasePolicy uses. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
}

export interface PolicyField {
  /** The path: `spec.freeze.windows[].schedule`. */
  readonly path: string;
  readonly type: string;
  /** The default, from the description; undefined where that names none. */
  readonly fallback: string | undefined;
  readonly required: boolean;
  readonly meaning: string;
}

const DEFAULT = / ?Default: (.+)$/s;

const limit = (count: number | undefined, what: string): string =>
  count === undefined ? '' : `, at most ${count} ${what}`;

const showType = (schema: Schema): string => {
  // YAML reads a bare Off as false. People write Off.
  if (schema.enum !== undefined) return codes(schema.enum.filter((value) => value !== false).map(showWord), ' ');
  if (schema.items !== undefined) return `list of ${showItem(schema.items)}${limit(schema.maxItems, 'items')}`;
  if (schema.additionalProperties !== undefined) {
    return `map of ${showItem(schema.additionalProperties)}${limit(schema.maxProperties, 'keys')}`;
  }
  return `${schema.type ?? 'any'}${limit(schema.maxLength, 'characters')}`;
};

const showWord = (value: unknown): string => (value === '' ? '""' : String(value));

const showItem = (item: Schema): string => (item.properties === undefined ? (item.type ?? 'any') : 'objects');

const toField = (path: string, schema: Schema, required: boolean): PolicyField => {
  const description = schema.description ?? '';
  const told = DEFAULT.exec(description)?.[1];
  return {
    path,
    type: showType(schema),
    required,
    fallback: told?.replace(/\.$/, ''),
    // The text above the table explains the actions once.
    meaning: (told === undefined ? description : description.replace(ACTIONS, '').replace(DEFAULT, '')).trim(),
  };
};

function* fieldsIn(schema: Schema, path: string): Generator<PolicyField> {
  for (const [name, below] of Object.entries(schema.properties ?? {})) {
    const at = `${path}.${name}`;
    yield toField(at, below, schema.required?.includes(name) ?? false);
    yield* fieldsIn(below, at);
    if (below.items !== undefined) yield* fieldsIn(below.items, `${at}[]`);
  }
}

interface Definition {
  readonly spec: {
    readonly versions: readonly {
      readonly additionalPrinterColumns: readonly { readonly name: string; readonly description: string }[];
      readonly schema: { readonly openAPIV3Schema: { readonly properties: Readonly<Record<string, Schema>> } };
    }[];
  };
}

const version = () => {
  const [first] = (releasePolicyCrd() as unknown as Definition).spec.versions;
  if (first === undefined) throw new Error('the definition of ReleasePolicy has no version');
  return first;
};

/** Every field of the spec or of the status, in the order of the schema. */
export const policyFields = (part: 'spec' | 'status'): readonly PolicyField[] => [
  ...fieldsIn(version().schema.openAPIV3Schema.properties[part] ?? {}, part),
];

const showFallback = ({ required, fallback }: PolicyField): string => (required ? 'required' : prose(fallback ?? ''));

export const policy = (): string =>
  section(
    'ReleasePolicy',
    'Cluster-scoped, `belay.dev/v1alpha1`, short name `rpol`. Of the policies that match a release the one of highest priority alone is in force; nothing is merged. Without any, the defaults hold. Durations are written like `90s`, `10m`, `1h30m` or `2d`.',
    `Each \`action\`: ${ACTIONS}`,
    table(
      ['field', 'type', 'default', 'meaning'],
      policyFields('spec').map((field) => [code(field.path), field.type, showFallback(field), prose(field.meaning)]),
    ),
    subsection(
      'Status',
      'Only Belay writes it.',
      table(
        ['field', 'type', 'meaning'],
        policyFields('status').map(({ path, type, meaning }) => [code(path), type, prose(meaning)]),
      ),
    ),
    subsection(
      'Columns of kubectl get releasepolicies',
      table(
        ['column', 'meaning'],
        version().additionalPrinterColumns.map(({ name, description }) => [name.toUpperCase(), description]),
      ),
    ),
  );
