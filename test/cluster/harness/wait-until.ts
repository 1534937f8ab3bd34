import { setTimeout as sleep } from 'node:timers/promises';
import { logTail, type RunningProgram } from './processes.ts';

const pollMs = 50;

/**
 * Resolves with the first answer of `probe` that is not undefined; an error from it counts as "not yet".
 * Throws after `timeoutMs`, or at once when one of the programs it depends on has ended, with the end of that one's log.
 */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  { timeoutMs = 60_000, dependsOn = [] }: { timeoutMs?: number; dependsOn?: readonly RunningProgram[] } = {},
): Promise<T> {
  const giveUpMs = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    const dead = dependsOn.find(({ running }) => !running);
    if (dead)
      throw new Error(`${what}: ${dead.name} ${await dead.ended}. The end of ${dead.log}:\n${logTail(dead.log)}`);
    if (Date.now() > giveUpMs) {
      const logs = dependsOn.map(({ name, log }) => `\nThe end of ${name}'s log:\n${logTail(log, 8)}`).join('');
      throw new Error(`${what}: not within ${timeoutMs / 1000} s${logs}`, { cause: last });
    }
    await sleep(pollMs);
  }
}
