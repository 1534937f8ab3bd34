import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

const MANIFESTS = join(import.meta.dirname, '../../../manifests');

/** A kustomization of the base, or of an overlay, with components, as a user writes it; gives back its directory. */
export const writeKustomization = async (
  dir: string,
  components: readonly string[],
  resources = 'base',
): Promise<string> => {
  await mkdir(dir, { recursive: true });
  const path = (name: string): string => relative(dir, join(MANIFESTS, name));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [path(resources)],
    components: components.map((component) => path(join('components', component))),
  };
  await writeFile(join(dir, 'kustomization.yaml'), JSON.stringify(kustomization));
  return dir;
};
