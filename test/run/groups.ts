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
const CORES = 2;
/** A file of `test/cluster/` waits for a third of its time, for a moment to come or for another process: three of them keep two cores busy. */
const SIDE_BY_SIDE: Readonly<Record<Kind, number>> = { unit: CORES, http: CORES, fuzz: CORES, cluster: 3 };

/** Files that would be in the way of another one beside them, or another one in theirs; with the reason. */
const ALONE: Readonly<Record<string, string>> = {
  'cluster/certificate-rotation': 'makes 50 writes a second, none of which may be lost',
  'cluster/faults': 'makes 50 writes a second in front of replicas that fail, each of which has to be judged in time',
  'cluster/one-at-a-time': 'keeps both cores busy with twelve Helms at once',
  'http/overload': 'makes more reviews than one core can answer',
};

/** Those that take longest begin first, so that none of them is left for the end, when nothing runs beside it. */
const LONGEST = [
  'cluster/helm-lock',
  'cluster/sweep',
  'cluster/other-writers',
  'cluster/sweep-takeover',
  'cluster/companion',
  'cluster/guide',
  'cluster/chart',
  'cluster/order-of-writes',
  'cluster/doctor',
  'cluster/denials',
  'cluster/policies',
  'cluster/locks',
  'cluster/drift',
  'cluster/hostile-tenant',
  'cluster/outage',
];

const nameOf = (kind: Kind, file: string): string => `${kind}/${basename(file, '.test.ts')}`;
const rankOf = (name: string): number => (LONGEST.includes(name) ? LONGEST.indexOf(name) : LONGEST.length);

/** All files of a kind, or those of these names, in the order in which they are run. */
export const groupsOf = (kind: Kind, names: readonly string[] = []): readonly Group[] => {
  const all = globSync(`test/${kind}/**/*.test.ts`, { cwd: PROJECT }).sort();
  const files = names.length === 0 ? all : all.filter((file) => names.includes(basename(file, '.test.ts')));
  if (files.length < Math.max(names.length, 1)) throw new Error(`test/${kind} has no tests ${names.join(', ')}`);
  const isAlone = (file: string): boolean => nameOf(kind, file) in ALONE;
  const others = files
    .filter((file) => !isAlone(file))
    .toSorted((a, b) => rankOf(nameOf(kind, a)) - rankOf(nameOf(kind, b)));
  return [
    { files: others, atOnce: SIDE_BY_SIDE[kind] },
    { files: files.filter(isAlone), atOnce: 1 },
  ].filter((group) => group.files.length > 0);
};
