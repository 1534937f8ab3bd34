import { X509Certificate } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import forge from 'node-forge';
import { pino } from 'pino';
import type { StoredCertificates } from '../../../src/certificates/assess.ts';
import { authoritiesOf, readBundle } from '../../../src/certificates/bundle.ts';
import {
  CONFIGURATION_RESOURCES,
  type Configurations,
  type SeenConfiguration,
} from '../../../src/certificates/configurations.ts';
import { createKeeper, type Keeper } from '../../../src/certificates/keeper.ts';
import { type Lifetimes, pausesOf } from '../../../src/certificates/lifetimes.ts';
import type { Store } from '../../../src/certificates/store.ts';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';
import { ApiError } from '../../../src/kubernetes/api.ts';

/**
 * Replicas that share one Secret and two configurations, as in a cluster. Each of the three has a version, and a write is a compare-and-swap. Every
 * read and write waits until the test lets it happen. So replicas overtake each other, and end, at any point.
 */
export interface World {
  /** Milliseconds since the epoch. People and NTP may set this clock. */
  wallMs: number;
  steadyMs: number;
  secret: { version: number; contents: StoredCertificates } | undefined;
  configurations: SeenConfiguration[];
  /** The bundles that an API server may still trust, each from `steadyMs` on. */
  readonly believed: { readonly steadyMs: number; readonly bundles: readonly string[] }[];
}

export interface Replica {
  readonly keeper: Keeper;
  /** Lets one read or write happen, or begins a round. */
  advance(): Promise<void>;
  /** Lets the replica go on to the end of its round. */
  finish(): Promise<void>;
}

export const LIFETIMES: Lifetimes = { authorityMs: 300 * 60_000, leafMs: 60 * 60_000 };
export const PAUSES = pausesOf(LIFETIMES, DEFAULT_INTERVALS.certificates);
/** The API servers hear of a configuration at the latest this long after it was written. */
export const LAG_MS = PAUSES.settleMs / 2;

/** A few weak keys. Strong ones would take most of the time of the test, which is not about their strength. */
export const makeKeys = (): (() => Promise<forge.pki.rsa.KeyPair>) => {
  const keys = Array.from({ length: 5 }, () => forge.pki.rsa.generateKeyPair({ bits: 1024 }));
  let next = 0;
  return async () => keys[next++ % keys.length] as forge.pki.rsa.KeyPair;
};

const conflict = (): ApiError => new ApiError(409, 'Conflict', 'somebody else was first');

export const createWorld = (): World => ({
  wallMs: Date.UTC(2026, 10, 21),
  steadyMs: 0,
  secret: undefined,
  configurations: CONFIGURATION_RESOURCES.map((resource) => ({
    resource,
    resourceVersion: '1',
    webhooks: [
      { name: 'one', caBundle: '' },
      { name: 'two', caBundle: '' },
    ],
  })),
  believed: [],
});

export const noteBelieved = (world: World): void => {
  const bundles = world.configurations.flatMap(({ webhooks }) => webhooks.map(({ caBundle }) => caBundle));
  world.believed.push({ steadyMs: world.steadyMs, bundles });
  // The last entry that is older than the lag still counts.
  while ((world.believed[1]?.steadyMs ?? world.steadyMs) <= world.steadyMs - LAG_MS) world.believed.shift();
};

/** Answers are remembered, because the same few certificates are compared again and again. */
const leads = new Map<string, Map<string, boolean>>();
const leadsTo = (cert: string, bundle: string): boolean => {
  const known = leads.get(cert) ?? new Map<string, boolean>();
  const answer = known.get(bundle) ?? authoritiesOf(readBundle(cert) ?? [], readBundle(bundle) ?? []).length > 0;
  leads.set(cert, known.set(bundle, answer));
  return answer;
};

/** Whether an API server that is as late as it may be trusts the certificate that a replica serves. */
export const isTrusted = (world: World, cert: string): boolean =>
  world.believed.every(({ bundles }) => bundles.every((bundle) => leadsTo(cert, bundle)));

const ends = new Map<string, number>();
export const endMsOf = (cert: string): number => {
  const endMs = ends.get(cert) ?? new X509Certificate(cert).validToDate.getTime();
  ends.set(cert, endMs);
  return endMs;
};

export const isExpired = (world: World, cert: string): boolean => endMsOf(cert) <= world.wallMs;

export const startReplica = (world: World, generateKeys: () => Promise<forge.pki.rsa.KeyPair>): Replica => {
  const waiting: (() => void)[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => void waiting.push(resolve));
  const store: Store = {
    async read() {
      await turn();
      return world.secret && { contents: world.secret.contents, secret: world.secret.version };
    },
    async create(contents) {
      await turn();
      if (world.secret !== undefined) throw conflict();
      world.secret = { version: 1, contents };
    },
    async replace(found, contents) {
      await turn();
      const { secret } = world;
      if (secret === undefined || secret.version !== found.secret) throw conflict();
      world.secret = { version: secret.version + 1, contents };
    },
  };
  const configurations: Configurations = {
    async read() {
      await turn();
      return [...world.configurations];
    },
    async inject(seen, ca) {
      await turn();
      const index = world.configurations.findIndex(({ resource }) => resource === seen.resource);
      const there = world.configurations[index];
      if (there?.resourceVersion !== seen.resourceVersion) throw conflict();
      if (there.webhooks.every(({ caBundle }) => caBundle === ca)) return there;
      const written = {
        ...there,
        resourceVersion: String(Number(there.resourceVersion) + 1),
        webhooks: there.webhooks.map(({ name }) => ({ name, caBundle: ca })),
      };
      world.configurations[index] = written;
      noteBelieved(world);
      return written;
    },
  };
  const keeper = createKeeper({
    issuer: 'self',
    inject: true,
    store,
    configurations,
    dnsNames: ['belay.belay-system.svc'],
    lifetimes: LIFETIMES,
    pauses: PAUSES,
    log: pino({ level: 'silent' }),
    now: () => world.wallMs,
    steadyMs: () => world.steadyMs,
    generateKeys,
  });
  let running = false;
  const settle = async (): Promise<void> => {
    while (running && waiting.length === 0) await nextTurn();
  };
  const advance = async (): Promise<void> => {
    if (running) waiting.shift()?.();
    else {
      running = true;
      const end = (): void => {
        running = false;
      };
      keeper.round().then(end, end);
    }
    await nextTurn();
    await settle();
  };
  return {
    keeper,
    advance,
    async finish() {
      while (running) await advance();
    },
  };
};
