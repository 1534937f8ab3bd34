import type { ApiServer } from '../../memory/api-server.ts';
import { createPerson, type Outcome, type Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';
import type { Verb } from './moment.ts';
import { createOracle, type Oracle } from './oracle.ts';

export const NAMESPACE = 'shop';
export const RELEASES = ['web', 'api'] as const;
export const STALE_AFTER_MS = 600_000;

/** Three people and two service accounts: Belay tells them apart. */
export const USERNAMES = [
  'ana',
  'ben',
  'eve',
  `system:serviceaccount:${NAMESPACE}:ci`,
  `system:serviceaccount:${NAMESPACE}:operator`,
] as const;

export interface Rights {
  /** In the namespace. */
  readonly role: 'none' | 'edit' | 'admin';
  /** On the release web alone. */
  readonly verbs: readonly Verb[];
}

const VERBS_OF: Readonly<Record<Rights['role'], readonly Verb[]>> = {
  none: [],
  edit: ['lock'],
  admin: ['lock', 'unlock', 'open', 'break'],
};

/** A Helm that sends one request after the other, each when it is let. */
export interface RunningHelm {
  readonly words: string;
  readonly outcome: () => Outcome | undefined;
  /** Lets it send as many requests as that, or fewer where it ends before. */
  goOn(requests: number): Promise<void>;
}

export interface World {
  readonly plane: MemoryPlane;
  readonly oracle: Oracle;
  readonly person: (who: number) => Person;
  readonly running: RunningHelm[];
  begin(who: number, words: string, run: (person: Person) => Promise<Outcome>): RunningHelm;
  stop(): Promise<void>;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An API server that answers each request only once it is let. */
const createGate = (server: ApiServer) => {
  let next: (() => void) | undefined;
  const gated: ApiServer = {
    ...server,
    answer: async (caller, request) => {
      await new Promise<void>((resolve) => {
        next = resolve;
      });
      return server.answer(caller, request);
    },
  };
  return {
    gated,
    isWaiting: () => next !== undefined,
    open: () => {
      const open = next;
      next = undefined;
      open?.();
    },
  };
};

const createRunning = (words: string, server: ApiServer, run: (server: ApiServer) => Promise<Outcome>): RunningHelm => {
  const gate = createGate(server);
  let outcome: Outcome | undefined;
  let failure: Error | undefined;
  run(gate.gated).then(
    (ended) => {
      outcome = ended;
    },
    (error: Error) => {
      failure = error;
    },
  );
  const untilAsked = async (): Promise<void> => {
    while (outcome === undefined && failure === undefined && !gate.isWaiting()) await turn();
    if (failure !== undefined) throw failure;
  };
  return {
    words,
    outcome: () => outcome,
    goOn: async (requests) => {
      await untilAsked();
      for (let sent = 0; sent < requests && outcome === undefined; sent += 1) {
        gate.open();
        await untilAsked();
      }
    },
  };
};

/** A control plane in memory, five users with these rights, and the oracle that sees every write. */
export const createWorld = async (rights: readonly Rights[]): Promise<World> => {
  const plane = await memoryPlane({ namespace: NAMESPACE, staleAfterMs: STALE_AFTER_MS });
  const { clock, server } = plane;
  const may = (username: string, verb: Verb, release: string): boolean => {
    const index = USERNAMES.indexOf(username as (typeof USERNAMES)[number]);
    const given = rights[index];
    if (given === undefined) return true;
    return VERBS_OF[given.role].includes(verb) || (release === 'web' && given.verbs.includes(verb));
  };
  const oracle = createOracle({ clock, namespace: NAMESPACE, releases: RELEASES, staleAfterMs: STALE_AFTER_MS, may });
  server.onChange(oracle.see);
  for (const [index, { role, verbs }] of rights.entries()) {
    plane.as(USERNAMES[index] ?? '', role);
    plane.grant(USERNAMES[index] ?? '', verbs, 'web');
  }
  // The Namespace was there before the oracle.
  await plane.admin.patch(`namespace/${NAMESPACE}`, { metadata: { labels: { team: 'shop' } } });

  const personAt = (who: number, at: ApiServer): Person => {
    const username = USERNAMES[who] ?? '';
    const heard: ApiServer = {
      ...at,
      answer: (caller, request) => {
        oracle.heard(username);
        return at.answer(caller, request);
      },
    };
    const groups = ['system:authenticated'];
    const caller = { user: { username, groups }, manager: 'kubectl' };
    return createPerson({ server: heard, clock, namespace: NAMESPACE, caller });
  };
  const people = USERNAMES.map((_, who) => personAt(who, server));
  const running: RunningHelm[] = [];
  return {
    plane,
    oracle,
    running,
    person: (who) => people[who] ?? plane.admin,
    begin: (who, words, run) => {
      const begun = createRunning(words, server, (gated) => run(personAt(who, gated)));
      running.push(begun);
      return begun;
    },
    stop: () => plane.stop(),
  };
};
