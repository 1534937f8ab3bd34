import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { findOrMakeBinaries } from '../cluster/harness/binaries.ts';
import { PAYLOAD_QUESTIONS, type PayloadAnswer } from './payloads.ts';

/** Asks the packages with which both Helms read their records, in a Go program of the harness. The answers come by the names of the questions. */
export const askHelmForPayloads = async (): Promise<Readonly<Record<string, PayloadAnswer>>> => {
  const { 'helm-sdk': program } = await findOrMakeBinaries(['helm-sdk']);
  const child = spawn(program, ['payloads'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.end(JSON.stringify(PAYLOAD_QUESTIONS.map(({ payload }) => payload)));
  const answer = await text(child.stdout);
  const [code] = await exited;
  if (code !== 0) throw new Error(`helm-sdk payloads exited with ${code}`);
  const answers = JSON.parse(answer) as readonly PayloadAnswer[];
  const unreadable: PayloadAnswer = { helm3: null, helm4: null };
  return Object.fromEntries(PAYLOAD_QUESTIONS.map(({ name }, index) => [name, answers[index] ?? unreadable]));
};
