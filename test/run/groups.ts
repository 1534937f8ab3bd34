import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Files of tests, each in a process of its own, so many at a time. */
export interface Group {
  readonly files: readonly string[];
  readonly atOnce: number;
}

export const PROJECT = join(import.meta.dirname, '..', '..');
export const KINDS = ['unit', 'http', 'fuzz', 'cluster'] as const;
export type Kind = (typeof KINDS)[number];

/** On the two cores of the smallest machine that they are to run on. */
const SIDE_BY_SIDE = 2;

/** Files that would be in the way of another one beside them, or another one in theirs; with the reason. */
const ALONE: Readonly<Record<string, string>> = {
  'cluster/certificate-rotation': 'makes 50 writes a second, none of which may be lost',
  'cluster/faults': 'makes 50 writes a second in front of replicas that fail, each of which has to be judged in time',
  'cluster/one-at-a-time': 'keeps both cores busy with twelve Helms at once',
  'cluster/policies': 'measures that a policy is in force within two seconds',
  'http/overload': 'makes more reviews than one core can answer',
};

/** Those that take longest begin first, so that none of them is left for the end, when nothing runs beside it. */
const LONGEST = [
  'cluster/companion',
  'cluster/chart',
  'cluster/doctor',
  'cluster/sweep',
  'cluster/denials',
  'cluster/helm-lock',
  'cluster/order-of-writes',
  'cluster/certificates',
  'cluster/other-writers',
  'cluster/attacks',
];

const nameOf = (kind: Kind, file: string): string => `${kind}/${basename(file, '.test.ts')}`;
const rankOf = (name: string): number => (LONGEST.includes(name) ? LONGEST.indexOf(name) : LONGEST.length);

/** All files of a kind, or those of these names, in the order in which they are run. */
export const groupsOf = (kind: Kind, names: readonly string[] = []): readonly Group[] => {
  const all = globSync(`test/${kind}/**/*.test.ts`, { cwd: PROJECT }).sort();
  const files = names.length === 0 ? all : all.filter((file) => names.includes(basename(file, '.test.ts')));
  if (files.length < Math.max(names.length, 1)) throw new Error(`test/${kind} has no tests ${names.join(', ')}`);
  const isAlone = (file: string): boolean => nameOf(kind, file) in ALONE;
  const together = files
    .filter((file) => !isAlone(file))
    .toSorted((a, b) => rankOf(nameOf(kind, a)) - rankOf(nameOf(kind, b)));
  return [
    { files: together, atOnce: SIDE_BY_SIDE },
    { files: files.filter(isAlone), atOnce: 1 },
  ].filter((group) => group.files.length > 0);
};
