import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { stageOf } from '../../../src/certificates/assess.ts';
import { splitBundle } from '../../../src/certificates/bundle.ts';
import {
  createWorld,
  endMsOf,
  isExpired,
  isTrusted,
  LAG_MS,
  LIFETIMES,
  makeKeys,
  noteBelieved,
  PAUSES,
  type Replica,
  startReplica,
  type World,
} from './replicas.ts';

const REPLICAS = 3;

type Event =
  /** One read or write of one replica. */
  | { readonly kind: 'advance'; readonly replica: number }
  | { readonly kind: 'crash'; readonly replica: number }
  | { readonly kind: 'start'; readonly replica: number }
  /** Time passes, and every replica that runs makes one round. */
  | { readonly kind: 'tick'; readonly ms: number }
  /** Somebody sets the clock ahead. */
  | { readonly kind: 'jump'; readonly ms: number }
  | { readonly kind: 'rotate' }
  /** Somebody spoils a field of the Secret, or all of it. */
  | { readonly kind: 'spoil'; readonly field: string }
  /** Somebody overwrites the caBundle of a webhook. */
  | { readonly kind: 'overwrite'; readonly configuration: number };

const replica = fc.nat({ max: REPLICAS - 1 });
const ordinary = [
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('advance' as const), replica }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), replica }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('start' as const), replica }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: LAG_MS }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.integer({ min: 1, max: LIFETIMES.authorityMs }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'rotate' as const }) },
];
const disasters = [
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('spoil' as const),
      field: fc.constantFrom('ca', 'cert', 'key', 'caKey', 'nextCa', 'nextCaKey', 'all'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('overwrite' as const), configuration: fc.nat({ max: 1 }) }),
  },
];

const generateKeys = makeKeys();

class Cluster {
  readonly world: World = createWorld();
  readonly replicas: (Replica | undefined)[] = [];
  readonly stages = new Set<string>();
  private readonly onChange: (cluster: Cluster) => void;
  private isInstalled = false;
  /** Whether the authority that signs has ever expired. Then no two authorities can overlap. */
  hadNoAuthority = false;

  constructor(onChange: (cluster: Cluster) => void = () => {}) {
    this.onChange = onChange;
  }

  /** The very first certificate is served before any API server can have heard of its authority. */
  private check(): void {
    const [authority] = splitBundle(this.world.secret?.contents.ca ?? '');
    this.hadNoAuthority ||= authority !== undefined && isExpired(this.world, authority);
    if (this.isInstalled && !this.hadNoAuthority) this.onChange(this);
  }

  get running(): readonly Replica[] {
    return this.replicas.filter((running) => running !== undefined);
  }

  /** The state some time after the installation. */
  async install(): Promise<void> {
    for (let index = 0; index < REPLICAS; index += 1) this.replicas[index] = startReplica(this.world, generateKeys);
    for (let pass = 0; pass < 4; pass += 1) await this.pass(LAG_MS);
    this.isInstalled = true;
    this.check();
  }

  /** The replicas finish their rounds, and then make further rounds, one replica after the other. */
  async pass(ms: number): Promise<void> {
    this.world.wallMs += ms;
    this.world.steadyMs += ms;
    noteBelieved(this.world);
    this.check();
    for (const one of this.running) await this.toTheEnd(one);
    await Promise.all(this.running.map((one) => one.advance()));
    for (const one of this.running) await this.toTheEnd(one);
  }

  private async toTheEnd(one: Replica): Promise<void> {
    await one.finish();
    if (this.world.secret !== undefined) this.stages.add(stageOf(this.world.secret.contents));
    this.check();
  }

  async happens(event: Event): Promise<void> {
    const { world, replicas } = this;
    switch (event.kind) {
      case 'advance':
        await replicas[event.replica]?.advance();
        break;
      case 'crash':
        replicas[event.replica] = undefined;
        break;
      case 'start':
        replicas[event.replica] ??= startReplica(world, generateKeys);
        break;
      case 'tick':
        await this.pass(event.ms);
        break;
      case 'jump':
        world.wallMs += event.ms;
        break;
      case 'rotate':
        this.rewrite({ rotate: true });
        break;
      case 'spoil':
        if (event.field === 'all') world.secret = undefined;
        else this.rewrite({ [event.field]: 'spoilt' });
        break;
      case 'overwrite': {
        const there = world.configurations[event.configuration];
        assert.ok(there);
        const [first, ...others] = there.webhooks;
        world.configurations[event.configuration] = {
          ...there,
          resourceVersion: String(Number(there.resourceVersion) + 1),
          webhooks: [{ name: first?.name ?? '', caBundle: 'overwritten' }, ...others],
        };
        noteBelieved(world);
      }
    }
    this.check();
  }

  private rewrite(fields: Record<string, unknown>): void {
    const { secret } = this.world;
    if (secret === undefined) return;
    this.world.secret = { version: secret.version + 1, contents: { ...secret.contents, ...fields } };
  }
}

const assertTrusted = ({ world, running }: Cluster): void => {
  for (const { keeper } of running) {
    const cert = keeper.current()?.cert;
    if (cert === undefined || isExpired(world, cert)) continue;
    assert.ok(isTrusted(world, cert), 'an API server does not trust what a replica serves');
  }
};

/** After a jump, the authority that signs is still valid for as long as a rotation takes. */
const withinItsLife = ({ world }: Cluster, event: Event): Event => {
  const [authority] = splitBundle(world.secret?.contents.ca ?? '');
  if (event.kind !== 'jump' || authority === undefined) return event;
  const leftMs = endMsOf(authority) - world.wallMs;
  return { ...event, ms: Math.max(0, Math.min(event.ms, leftMs - 2 * PAUSES.settleMs - 4 * LAG_MS)) };
};

/** Long enough for two rotations, one after the other. */
const MOST_PASSES = Math.ceil((2 * (PAUSES.settleMs + PAUSES.reloadMs)) / LAG_MS) + 20;

const isCalm = ({ world, running }: Cluster): boolean => {
  const { contents } = world.secret ?? {};
  const isSteady =
    contents?.ca !== undefined && splitBundle(contents.ca).length === 1 && stageOf(contents) === 'steady';
  return isSteady && running.every(({ keeper }) => keeper.current()?.cert === contents.cert);
};

const assertSound = async (cluster: Cluster): Promise<void> => {
  const { world } = cluster;
  if (cluster.running.length === 0) await cluster.happens({ kind: 'start', replica: 0 });
  for (let pass = 0; pass < 3 || !isCalm(cluster); pass += 1) {
    assert.ok(pass < MOST_PASSES, 'the rotation does not come to its end');
    await cluster.pass(LAG_MS);
  }
  // Where an authority has expired or was spoilt, no two authorities overlap, and the last bundle may just have been written: until an API
  // server has heard of it, at most LAG_MS later, that one does not trust the new certificate. All other cases are checked at each step.
  await cluster.pass(LAG_MS);
  assert.equal(new Set(cluster.running.map(({ keeper }) => keeper.current()?.cert)).size, 1);
  for (const { keeper } of cluster.running) {
    const cert = keeper.current()?.cert ?? '';
    assert.equal(isExpired(world, cert), false);
    assert.ok(isTrusted(world, cert));
  }
};

describe('three replicas, in any order', () => {
  test('serve only certificates that every API server trusts, when rotations break off anywhere and the clock is set', async () => {
    const seen = new Map<string, number>();
    const events = fc.array(fc.oneof(...ordinary), { minLength: 20, maxLength: 60, size: 'max' });
    const property = fc.asyncProperty(events, async (sequence) => {
      const cluster = new Cluster(assertTrusted);
      await cluster.install();
      const first = cluster.world.secret?.contents.ca;
      for (const event of sequence) await cluster.happens(withinItsLife(cluster, event));
      await assertSound(cluster);
      if (cluster.hadNoAuthority) return;
      for (const stage of cluster.stages) seen.set(stage, (seen.get(stage) ?? 0) + 1);
      if (cluster.world.secret?.contents.ca !== first) seen.set('rotated', (seen.get('rotated') ?? 0) + 1);
    });
    await fc.assert(property, { numRuns: 15, endOnFailure: true });
    // Without these the test would show nothing.
    for (const what of ['published', 'switched', 'rotated']) {
      assert.ok((seen.get(what) ?? 0) >= 4, `${what}: ${seen.get(what)}`);
    }
  });

  test('come to serve one trusted certificate again after any accident', async () => {
    const events = fc.array(fc.oneof(...ordinary, ...disasters), { minLength: 10, maxLength: 60, size: 'max' });
    const property = fc.asyncProperty(events, async (sequence) => {
      const cluster = new Cluster();
      await cluster.install();
      for (const event of sequence) await cluster.happens(event);
      await assertSound(cluster);
    });
    await fc.assert(property, { numRuns: 15, endOnFailure: true });
  });
});

test('a rotation by the calendar alone: within the life of an authority all its serving certificates are renewed by it', async () => {
  const cluster = new Cluster(assertTrusted);
  await cluster.install();
  const authorities = new Set<string>();
  const leaves = new Set<string>();
  const endMs = cluster.world.wallMs + 2.5 * LIFETIMES.authorityMs;
  while (cluster.world.wallMs < endMs) {
    await cluster.pass(LAG_MS);
    for (const { keeper } of cluster.running) {
      const { cert = '', ca = '' } = keeper.current() ?? {};
      assert.equal(isExpired(cluster.world, cert), false);
      leaves.add(cert);
      authorities.add(splitBundle(ca)[0] ?? '');
      const leftMs = endMsOf(cert) - cluster.world.wallMs;
      assert.ok(leftMs > LIFETIMES.leafMs / 3 - 3 * LAG_MS, `only ${leftMs} ms were left`);
    }
  }
  // An authority is replaced after 210 of 300 minutes, a serving certificate after 40 of 60.
  assert.equal(authorities.size, 4);
  assert.ok(leaves.size >= 19 && leaves.size <= 24, String(leaves.size));
});
