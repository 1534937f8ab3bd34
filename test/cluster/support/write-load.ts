import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetch } from 'undici';
import type { Connection } from '../../../src/kubernetes/api.ts';
import { connect } from '../../../src/kubernetes/connection.ts';
import type { DenialCode } from '../../../src/rules/verdict.ts';
import type { ControlPlane } from '../harness/control-plane.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** A write that has to be decided in one way, whenever and by whichever replica. */
export interface Write {
  readonly what: string;
  /** Kubeconfig of whoever writes. */
  readonly as: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Left out: it has to pass. */
  readonly denied?: DenialCode;
}

/**
 * How a write went.
 * - `right`: as it has to.
 * - `wrong`: a rule decided otherwise.
 * - `open`, `closed`: no rule decided, because no replica answered, or one that could not learn enough; so it passed though it had to be
 *   refused, or was refused.
 * - `away`: the API server, or what it stores in, was not there.
 */
export type Result = 'right' | 'wrong' | 'open' | 'closed' | 'away';

export interface Outcome {
  readonly what: string;
  readonly result: Result;
  readonly startedMs: number;
  readonly endedMs: number;
  /** What was said, where it was not right. */
  readonly said: string;
}

export interface WriteLoad {
  /** Resolves when so many more have gone as they have to. */
  goWell(more: number): Promise<void>;
  /** Resolves with all that was written, once the last has ended, and with the step of the sequence that comes next. */
  stop(): Promise<{ readonly outcomes: readonly Outcome[]; readonly nextStep: number }>;
}

export interface WriteLoadOptions {
  /** In turns, at most so many a second. */
  readonly writes: readonly ((turn: number) => Write)[];
  readonly perSecond: number;
  /** One after the other, each as soon as the one before has passed: what one client does. Again after it failed. */
  readonly sequence: (step: number) => Write;
  /** Where it goes on. */
  readonly firstStep: number;
}

/**
 * Of 50 writes a second one or two are under way where the machine keeps up. Where it does not, and while the API server is away, there are fewer
 * writes: the load is never what breaks.
 */
const MOST_UNDER_WAY = 16;
const PAUSE_MS = 200;

interface Answer {
  readonly status: number;
  readonly text: string;
}

const send = async (connection: Connection, write: Write, auditId: string): Promise<Answer> => {
  const headers = {
    ...(await connection.headers()),
    'audit-id': auditId,
    'content-type': write.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
  };
  try {
    const response = await fetch(new URL(write.path, connection.server), {
      method: write.method,
      headers,
      dispatcher: connection.dispatcher,
      ...(write.body !== undefined && { body: JSON.stringify(write.body) }),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const { message, cause } = error as Error;
    return { status: 0, text: `${message}: ${String(cause)}` };
  }
};

const NOT_JUDGED = /failed calling webhook|\[BelayUnavailable\]/;

/** `passed` is settled later: only the audit log tells whether anybody had judged it. */
const resultOf = (
  { method, denied }: Write,
  { status, text }: Answer,
  ownClaim: DenialCode | undefined,
): Result | 'passed' => {
  // Of a write that broke off midway, the next attempt finds that it was done.
  const isStored = status === 409 || text.includes('has been stored since Helm looked');
  const isDone = (method === 'POST' && isStored) || (method === 'DELETE' && status === 404);
  if (isDone && denied === undefined) return 'right';
  if (status > 0 && status < 300) return denied === undefined ? 'right' : 'passed';
  if (NOT_JUDGED.test(text)) return 'closed';
  const code = /\[(Belay\w+)\]/.exec(text)?.[1];
  if (code === undefined) return 'away';
  if (code === ownClaim) return 'closed';
  return code === denied ? 'right' : 'wrong';
};

/** Audit ids of writes that passed because nobody answered, or because the one who did had not decided. */
const readUnjudged = async (plane: ControlPlane): Promise<ReadonlySet<string>> => {
  const lines = (await readFile(join(plane.dir, 'audit.log'), 'utf8')).split('\n');
  const unjudged = lines.filter((line) => line.includes('"failed-open.') || line.includes('.belay.dev/unchecked"'));
  return new Set(unjudged.map((line) => (JSON.parse(line) as { auditID: string }).auditID));
};

/** Writes through the API server of a plane that keeps an audit log, on and on. */
export const startWriteLoad = (
  plane: ControlPlane,
  { writes, perSecond, sequence, firstStep }: WriteLoadOptions,
): WriteLoad => {
  const connections = new Map<string, Connection>();
  const connectionOf = (kubeconfig: string): Connection => {
    const known = connections.get(kubeconfig) ?? connect(kubeconfig, () => performance.now());
    connections.set(kubeconfig, known);
    return known;
  };
  const outcomes: (Omit<Outcome, 'result'> & { result: Result | 'passed'; auditId: string })[] = [];
  const underWay = new Set<Promise<unknown>>();
  let stopped = false;
  let well = 0;

  const make = async (write: Write, ownClaim?: DenialCode): Promise<Result | 'passed'> => {
    const startedMs = Date.now();
    const auditId = randomUUID();
    const answer = await send(connectionOf(write.as), write, auditId);
    const result = resultOf(write, answer, ownClaim);
    if (result === 'right') well += 1;
    const said = result === 'right' ? '' : `${answer.status} ${answer.text.slice(0, 600)}`;
    outcomes.push({ what: write.what, result, startedMs, endedMs: Date.now(), said, auditId });
    return result;
  };
  const begin = (write: Write): void => {
    const making = make(write).finally(() => underWay.delete(making));
    underWay.add(making);
  };

  let turn = 0;
  const ticking = setInterval(() => {
    const next = writes[turn % writes.length];
    if (next === undefined || underWay.size >= MOST_UNDER_WAY) return;
    begin(next(turn));
    turn += 1;
  }, 1_000 / perSecond);

  const inSequence = (async () => {
    let failed = false;
    let step = firstStep;
    for (; !stopped; await sleep(PAUSE_MS)) {
      // A start that was admitted and then got lost holds its claim for 10 s, which the next attempt meets.
      failed = (await make(sequence(step), failed ? 'BelayOperationInFlight' : undefined)) !== 'right';
      if (!failed) step += 1;
    }
    return step;
  })();

  return {
    goWell: async (more) => {
      const enough = well + more;
      await waitUntil(`${more} writes that go as they have to`, async () => well >= enough || undefined, {
        timeoutMs: 180_000,
      });
    },
    stop: async () => {
      stopped = true;
      clearInterval(ticking);
      await Promise.all(underWay);
      const nextStep = await inSequence;
      const unjudged = outcomes.some(({ result }) => result === 'passed') ? await readUnjudged(plane) : new Set();
      for (const connection of connections.values()) await connection.dispatcher.close();
      const judged = outcomes.map(({ auditId, result, ...outcome }) => ({
        ...outcome,
        result: result !== 'passed' ? result : unjudged.has(auditId) ? ('open' as const) : ('wrong' as const),
      }));
      return { outcomes: judged, nextStep };
    },
  };
};
