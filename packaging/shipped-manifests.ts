import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from './product.ts';

const BASE = join(ROOT, 'manifests/base');

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks?: unknown;
  readonly rules?: unknown;
}

const read = async (file: string): Promise<readonly Manifest[]> => {
  const text = await readFile(join(BASE, file), 'utf8');
  return parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS() as Manifest);
};

const named = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`manifests/base has no ${kind} ${name}`);
  return found;
};

/**
 * src/cli/doctor/shipped-manifests.json, made of manifests/base: `belay doctor` has no files beside it, so the bundler puts this into the
 * program.
 */
export const shippedManifestsText = async (): Promise<string> => {
  const [validating, mutating, cluster, certificates] = await Promise.all(
    ['validating-webhooks.yaml', 'mutating-webhooks.yaml', 'cluster-roles.yaml', 'certificates-role.yaml'].map(read),
  );
  const shipped = {
    validating: named(validating ?? [], 'ValidatingWebhookConfiguration', 'belay').webhooks,
    mutating: named(mutating ?? [], 'MutatingWebhookConfiguration', 'belay').webhooks,
    clusterRules: named(cluster ?? [], 'ClusterRole', 'belay').rules,
    injectionRules: named(certificates ?? [], 'ClusterRole', 'belay-ca-bundle').rules,
    namespaceRules: named(certificates ?? [], 'Role', 'belay-certificates').rules,
  };
  return `${JSON.stringify(shipped, null, 2)}\n`;
};
