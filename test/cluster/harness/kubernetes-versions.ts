import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { moduleVersion } from './programs.ts';

/**
 * The versions of Kubernetes that the harness knows: the newest, whose module in `../binaries` builds etcd, kwok and Helm as well, and
 * for each older one a module `../binaries/kubernetes-<minor version>` that builds nothing but Kubernetes.
 */
export interface Kubernetes {
  /** As BELAY_KUBERNETES names it: `1.30`. */
  readonly name: string;
  /** `30` of 1.30: what a test asks that needs a newer one. */
  readonly minor: number;
  /** `v1.30.14` */
  readonly version: string;
  /** The directory of its go.mod and go.sum. */
  readonly moduleDir: string;
}

/** The module of the newest, and of all that is not Kubernetes. */
export const newestModuleDir = join(import.meta.dirname, '..', 'binaries');

const kubernetesOf = (moduleDir: string): Kubernetes => {
  const version = moduleVersion(readFileSync(join(moduleDir, 'go.mod'), 'utf8'), 'k8s.io/kubernetes');
  const [major, minor] = version.slice(1).split('.');
  return { name: `${major}.${minor}`, minor: Number(minor), version, moduleDir };
};

/** Newest first. */
export const kubernetesVersions: readonly Kubernetes[] = [
  newestModuleDir,
  ...readdirSync(newestModuleDir)
    .filter((name) => name.startsWith('kubernetes-'))
    .map((name) => join(newestModuleDir, name)),
]
  .map(kubernetesOf)
  .sort((a, b) => b.minor - a.minor);

/** The one that BELAY_KUBERNETES names; the newest where it names none. Throws with what there is. */
export const chooseKubernetes = (name = process.env.BELAY_KUBERNETES): Kubernetes => {
  const [newest] = kubernetesVersions;
  if (newest === undefined) throw new Error(`no module in ${newestModuleDir} builds Kubernetes`);
  if (!name) return newest;
  const chosen = kubernetesVersions.find((kubernetes) => kubernetes.name === name);
  if (chosen) return chosen;
  const names = kubernetesVersions.map((kubernetes) => kubernetes.name);
  throw new Error(`BELAY_KUBERNETES=${name}: there is ${names.join(' and ')}, without it ${newest.name}`);
};
