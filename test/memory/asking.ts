import assert from 'node:assert/strict';
import type { DenialCode } from '../../src/rules/verdict.ts';
import type { Outcome } from './person.ts';
import type { MemoryPlane } from './plane.ts';

/** What the tests ask of an outcome, in the words of the cluster tests. */

export const succeeds = (outcome: Outcome): Outcome => {
  assert.ok(outcome.ok, outcome.said);
  return outcome;
};

/** Asserts that it failed and said this, whoever refused it. */
export const fails = ({ ok, said }: Outcome, pattern: RegExp): string => {
  assert.ok(!ok, `did not fail: ${said}`);
  assert.match(said, pattern);
  return said;
};

/** Asserts that Belay refused, with this code, and said all of these; gives back everything that was said. */
export const isDenied = ({ ok, said }: Outcome, code: DenialCode, ...patterns: readonly RegExp[]): string => {
  assert.ok(!ok, `was not refused: ${said}`);
  assert.ok(said.includes(`[${code}]`), `expected [${code}] in: ${said}`);
  for (const pattern of patterns) assert.match(said, pattern);
  return said;
};

/** Runs something and asserts that all that is stored is as it was. */
export const untouched = async <T>(plane: MemoryPlane, attempt: () => Promise<T>): Promise<T> => {
  const before = await plane.state();
  const result = await attempt();
  assert.deepEqual(await plane.state(), before);
  return result;
};
