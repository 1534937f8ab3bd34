import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { findOrMakeBinaries } from '../cluster/harness/binaries.ts';
import { RANGE_QUESTIONS, type RangeAnswers } from './chart-ranges.ts';

/** Asks the library with which Helm reads ranges, in a Go program of the harness. */
export const askHelmForRanges = async (): Promise<RangeAnswers> => {
  const { 'helm-sdk': program } = await findOrMakeBinaries(['helm-sdk']);
  const child = spawn(program, ['ranges'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.end(JSON.stringify(RANGE_QUESTIONS));
  const answer = await text(child.stdout);
  const [code] = await exited;
  if (code !== 0) throw new Error(`helm-sdk ranges exited with ${code}`);
  return JSON.parse(answer) as RangeAnswers;
};
