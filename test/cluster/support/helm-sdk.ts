import { join } from 'node:path';
import { findOrMakeBinaries } from '../harness/binaries.ts';
import { type CommandOptions, type CommandResult, createCommandLine } from '../harness/command-line.ts';
import type { ControlPlane } from '../harness/control-plane.ts';
import type { Helm } from './asking.ts';

/** Where a program that embeds Helm keeps its records, and where the objects go. */
export interface Places {
  readonly storage: string;
  readonly namespace: string;
}

/** Runs an operation of ours by Helm's own SDK: `../binaries/helm-sdk`. */
export type HelmSdk = (
  helm: Helm,
  places: Places,
  args: readonly string[],
  options?: CommandOptions & { readonly set?: string },
) => Promise<CommandResult>;

export const openHelmSdk = async (plane: ControlPlane): Promise<HelmSdk> => {
  const { 'helm-sdk': program } = await findOrMakeBinaries(['helm-sdk']);
  const commands = createCommandLine({
    homeDir: join(plane.dir, 'home'),
    adminKubeconfig: plane.adminKubeconfig,
    adopt: () => undefined, // each run is waited for, and has an end of its own
  });
  return (helm, { storage, namespace }, args, { set = '', ...options } = {}) => {
    const major = helm.slice('helm'.length);
    const flags = [`-helm=${major}`, `-storage=${storage}`, `-namespace=${namespace}`, `-set=${set}`];
    return commands.run(program, [...flags, ...args], options);
  };
};
