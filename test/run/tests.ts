import { join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { POOL_SOCKET } from '../cluster/harness/borrow-cluster.ts';
import { startClusterPool } from '../cluster/harness/cluster-pool.ts';
import { buildBelay } from '../cluster/harness/install-belay.ts';
import { type Group, groupsOf, KINDS, type Kind, PROJECT } from './groups.ts';
import { type FileTime, writeTimes } from './times.ts';

/**
 * `node test/run/tests.ts KIND [NAME...]` runs the tests of this kind, each file in a process of its own, and keeps how long each file took.
 * With names, as `locks` for `test/cluster/locks.test.ts`, it runs these files alone.
 */

/** What hangs is ended after so long. */
const TIMEOUT_MS = 900_000;

const runGroup = async ({ files, atOnce }: Group): Promise<readonly FileTime[]> => {
  const times: FileTime[] = [];
  const events = run({ files: files.map((file) => join(PROJECT, file)), concurrency: atOnce, timeout: TIMEOUT_MS });
  events.on('test:summary', ({ file, duration_ms, counts, success }) => {
    if (!success) process.exitCode = 1;
    if (file === undefined) return;
    const { tests, passed, skipped, todo } = counts;
    const failed = tests - passed - skipped - todo;
    times.push({ file: relative(PROJECT, file), seconds: duration_ms / 1000, tests, failed, skipped });
  });
  const printed = events.compose(new spec());
  printed.pipe(process.stdout, { end: false });
  await finished(printed, { writable: false });
  return times;
};

const isKind = (word: string): word is Kind => (KINDS as readonly string[]).includes(word);

const [kind = '', ...names] = process.argv.slice(2);
if (!isKind(kind)) throw new Error(`there are no tests of the kind "${kind}"; there are ${KINDS.join(', ')}`);
// Once, and not by the first two files at the same time.
if (kind === 'cluster') await buildBelay();
// Each file is a process of its own, and reads much the same source: what one of them has compiled, the others load.
process.env.NODE_COMPILE_CACHE ??= join(PROJECT, 'node_modules', '.cache', 'compiled');
const pool = kind === 'cluster' ? await startClusterPool() : undefined;
if (pool) process.env[POOL_SOCKET] = pool.socketPath;
const startMs = performance.now();
const times: FileTime[] = [];
for (const group of groupsOf(kind, names)) times.push(...(await runGroup(group)));
await pool?.close();
if (names.length === 0) writeTimes(kind, { seconds: (performance.now() - startMs) / 1000, files: times });
