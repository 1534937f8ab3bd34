import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');

/** The description of the product in package.json. */
export interface Product {
  readonly version: string;
  readonly license: string;
  /** The oldest Node that runs Belay: major and minor. */
  readonly node: readonly [major: number, minor: number];
}

export const SUMMARY = 'Waits for its turn, freezes, pins and explains Helm releases';

export const DESCRIPTION = [
  'Runs Helm when it is its turn, and shows and sets the locks of Helm releases: who holds one, freezes, pins, maintenance windows.',
  'Works with and without the admission webhook Belay in the cluster; with it, locks hold for every client.',
].join('\n');

export const readProduct = async (): Promise<Product> => {
  const text = await readFile(join(ROOT, 'package.json'), 'utf8');
  const { version, license, engines } = JSON.parse(text) as {
    version: string;
    license: string;
    engines: { node: string };
  };
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
  if (major === undefined || minor === undefined)
    throw new Error(`engines.node is no ">=major.minor": ${engines.node}`);
  return { version, license, node: [Number(major), Number(minor)] };
};
