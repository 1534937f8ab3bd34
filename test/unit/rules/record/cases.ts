import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HelmStatus, ReleaseRecord } from '../../../../src/helm/record.ts';
import type { Freeze } from '../../../../src/policy/lock.ts';
import type { Claim } from '../../../../src/rules/in-flight.ts';
import { judgeRecord } from '../../../../src/rules/record/judge-record.ts';
import type { RecordVerdict, RecordWrite } from '../../../../src/rules/record/write.ts';
import { CLOCK, claim, NOW_MS, record, STALE_AFTER_MS, write } from '../releases.ts';

const FREEZE: Freeze = {
  source: { kind: 'Namespace', namespace: '', name: 'shop' },
  reason: 'friday',
  by: 'ann',
  untilMs: undefined,
};
/** Silent for so long that the operation is stale. */
export const SILENT = { updatedAtMs: NOW_MS - STALE_AFTER_MS };
export const silentClaim = (operation: Claim['operation'], revision: number, holder: string): Claim =>
  claim(operation, revision, holder, { acquiredAtMs: NOW_MS - STALE_AFTER_MS, renewedAtMs: NOW_MS - STALE_AFTER_MS });

interface Case {
  readonly name: string;
  readonly records: readonly ReleaseRecord[];
  readonly claim?: Claim;
  readonly frozen?: true;
  readonly write: RecordWrite;
  /** The `why` of an allowed write and its claim, or the code of the denial. */
  readonly expect: string;
}

const say = (verdict: RecordVerdict): string => {
  if (!verdict.allowed) return verdict.denial.code;
  const { claim: wanted } = verdict;
  if (wanted === undefined) return verdict.why;
  return `${verdict.why} ${wanted.operation} v${wanted.revision}${wanted.takesOver === undefined ? '' : ` over ${wanted.takesOver.reason} v${wanted.takesOver.revision}`}`;
};

/** Makes a test of each case. */
export const testCases = (cases: readonly Case[]): void => {
  for (const { name, records, write: asked, expect, ...rest } of cases) {
    test(`${name}: ${expect}`, () => {
      const facts = { records, claim: rest.claim };
      assert.equal(say(judgeRecord(asked, facts, rest.frozen ? [FREEZE] : [], CLOCK)), expect);
    });
  }
};

export const deployed = record(1, 'deployed');
export const pending = record(2, 'pending-upgrade');
export const upgrading = { records: [deployed, pending], claim: claim('upgrade', 2, 'ann') } as const;
/** An UPDATE that changes the status of a revision. */
export const move = (
  user: string,
  revision: number,
  from: HelmStatus,
  to: HelmStatus,
  more: Partial<RecordWrite> = {},
): RecordWrite => write(user, record(revision, from), record(revision, to), more);
