import fc from 'fast-check';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { RecordKind } from '../../memory/record.ts';
import { NAMESPACE, RELEASES, USERNAMES, type World } from './world.ts';

/** One thing that somebody does. Gives back what was done, and how it ended, in words. */
export type Step = (world: World) => Promise<string>;

export const who = fc.nat(USERNAMES.length - 1);
export const release = fc.constantFrom(RELEASES[0], RELEASES[0], ...RELEASES);

/** The first line of a refusal says enough. */
export const ended = ({ ok, said }: { readonly ok: boolean; readonly said: string }): string => {
  if (ok) return 'done';
  const code = /\[(Belay\w+)\]/.exec(said)?.[1];
  return `refused: ${code ?? said.trim().split('\n')[0]?.slice(0, 160)}`;
};

/** One of the records of a release, of either kind: the newest, or one of those below. */
export const recordAt = (world: World, name: string, back: number): KubernetesObject | undefined => {
  const records = [...world.oracle.stored().values()].filter(
    ({ kind, metadata }) =>
      (kind === 'Secret' || kind === 'ConfigMap') &&
      metadata?.labels?.owner === 'helm' &&
      metadata.labels.name === name,
  );
  const revision = ({ metadata }: KubernetesObject): number => Number(metadata?.labels?.version);
  return records.sort((a, b) => revision(b) - revision(a))[back];
};

export const nameOf = ({ kind = '', metadata }: KubernetesObject): string => `${kind.toLowerCase()}/${metadata?.name}`;

export const storedAt = (world: World, kind: string, name: string): KubernetesObject | undefined =>
  world.oracle.stored().get(`${kind} ${NAMESPACE}/${name}`);

export const recordKind = fc.constantFrom<RecordKind>('Secret', 'ConfigMap');
