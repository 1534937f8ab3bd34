import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { parseDocument } from 'yaml';
import type { PackageFile } from './package-file.ts';
import { type Product, ROOT } from './product.ts';

const CHART = join(ROOT, 'manifests/chart');

/** Without a tag or digest, the tag is the chart's appVersion. */
const withImage = (values: string, image: string): string => {
  const document = parseDocument(values);
  const [named = '', digest] = image.split('@');
  // A colon before a slash begins a port.
  const [, repository = '', tag] = /^(.+?)(?::([^:/]+))?$/.exec(named) ?? [];
  for (const [key, value] of Object.entries({ repository, tag, digest }))
    if (value !== undefined) document.setIn(['image', key], value);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
};

/** The files of the chart, in the directory that Helm expects at the top of an archive. `image` becomes the default. */
export const chartPackage = async ({ version }: Product, image?: string): Promise<readonly PackageFile[]> => {
  const entries = await readdir(CHART, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !/^\.DS_Store$|\.swp$|\.tgz$/.test(entry.name))
    .map(({ parentPath, name }) => relative(CHART, join(parentPath, name)));
  const files = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(join(CHART, path), 'utf8');
      const contents = image !== undefined && path === 'values.yaml' ? withImage(text, image) : text;
      return { path: path.replaceAll(sep, '/'), contents };
    }),
  );
  const chart = files.find(({ path }) => path === 'Chart.yaml')?.contents ?? '';
  if (!chart.includes(`\nversion: ${version}\n`))
    throw new Error(`manifests/chart/Chart.yaml is not of version ${version}`);
  return files;
};
