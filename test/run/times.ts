import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KINDS, type Kind, PROJECT } from './groups.ts';

/** `node test/run/times.ts` prints how long each file of tests took when its kind was run last, and how many tests it has. */

/** As the runner tells them in the summary of a file. */
export interface FileTime {
  readonly file: string;
  readonly seconds: number;
  readonly tests: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface KindTimes {
  /** From the first file's start to the last one's end: less than the sum, where files run side by side. */
  readonly seconds: number;
  readonly files: readonly FileTime[];
}

const pathOf = (kind: Kind): string => join(PROJECT, 'dist', 'test-times', `${kind}.json`);

export const writeTimes = (kind: Kind, times: KindTimes): void => {
  mkdirSync(dirname(pathOf(kind)), { recursive: true });
  writeFileSync(pathOf(kind), JSON.stringify(times));
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const line = (what: string, seconds: number, files: readonly FileTime[]): string => {
  const count = (of: (file: FileTime) => number): string => String(sum(files.map(of))).padStart(7);
  const columns = [count(({ tests }) => tests), count(({ failed }) => failed), count(({ skipped }) => skipped)];
  return `${seconds.toFixed(1).padStart(8)} ${columns.join(' ')}  ${what}`;
};

const print = (): void => {
  console.log(' seconds   tests  failed skipped  file');
  const all = KINDS.filter((kind) => existsSync(pathOf(kind))).map((kind) => ({
    kind,
    ...(JSON.parse(readFileSync(pathOf(kind), 'utf8')) as KindTimes),
  }));
  for (const { kind, seconds, files } of all) {
    for (const file of files.toSorted((a, b) => b.seconds - a.seconds))
      console.log(line(file.file, file.seconds, [file]));
    console.log(line(`all of test/${kind}`, seconds, files));
  }
  const files = all.flatMap(({ files }) => files);
  console.log(line(`all that was run`, sum(all.map(({ seconds }) => seconds)), files));
};

if (import.meta.main) print();
