import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseDocument } from 'yaml';
import { ROOT } from './product.ts';

const BASE = join(ROOT, 'manifests/base');

interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resources: readonly string[];
}

/** Keeps the comments, for administrators who review the file before they apply it. */
const withImage = (deployment: string, image: string): string => {
  const document = parseDocument(deployment);
  document.setIn(['spec', 'template', 'spec', 'containers', 0, 'image'], image);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
};

/**
 * The base as one file, for `kubectl apply -f`. Its kustomization only lists files, so kustomize is not needed here. This throws if the
 * kustomization ever does more. A cluster test compares the result with `kubectl kustomize`.
 */
export const installFile = async (image?: string): Promise<string> => {
  const { resources, ...rest } = parse(await readFile(join(BASE, 'kustomization.yaml'), 'utf8')) as Kustomization;
  const more = Object.keys(rest).filter((key) => key !== 'apiVersion' && key !== 'kind');
  if (more.length > 0)
    throw new Error(`manifests/base/kustomization.yaml has ${more.join(', ')}, which one file cannot do`);
  const parts = await Promise.all(
    resources.map(async (name) => {
      const text = await readFile(join(BASE, name), 'utf8');
      return (image !== undefined && name === 'deployment.yaml' ? withImage(text, image) : text).trimEnd();
    }),
  );
  return `${parts.join('\n---\n')}\n`;
};
