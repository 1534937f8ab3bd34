import assert from 'node:assert/strict';
import type { BelayReplica, ControlPlane } from '../harness/control-plane.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** What a test asks of the sweep, by what it shows to everybody: metrics and Events. */

export type Samples = ReadonlyMap<string, number>;

/** By name and labels, as they stand in the text. */
export const metricsOf = async ({ metricsUrl }: BelayReplica): Promise<Samples> => {
  const text = await (await fetch(metricsUrl)).text();
  const lines = text.split('\n').filter((line) => /^(belay|process)_/.test(line));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
};

/** The replica that sweeps; with `others`, it must be none of these. */
export const leaderOf = (plane: ControlPlane, not: readonly BelayReplica[] = []): Promise<BelayReplica> =>
  waitUntil(
    'a replica sweeps',
    async () => {
      const leaders: BelayReplica[] = [];
      for (const replica of plane.belay.replicas.filter(({ running }) => running))
        if ((await metricsOf(replica)).get('belay_sweep_leading') === 1) leaders.push(replica);
      assert.ok(leaders.length < 2, 'two replicas sweep');
      return leaders.find((leader) => !not.includes(leader));
    },
    { timeoutMs: 60_000 },
  );

/** Resolves when the sweep knows of so many drifted objects of a release. */
export const waitForDrift = async (
  plane: ControlPlane,
  namespace: string,
  release: string,
  objects: number,
  timeoutMs = 30_000,
): Promise<void> => {
  const name = `belay_drifted_objects{namespace="${namespace}",release="${release}"}`;
  let last: number | undefined;
  await waitUntil(
    `${objects} drifted objects of ${namespace}/${release}`,
    async () => {
      last = (await metricsOf(await leaderOf(plane))).get(name) ?? 0;
      return last === objects || undefined;
    },
    { timeoutMs },
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: there are ${last}`, { cause: error });
  });
};

export interface SweepEvent {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

export const sweepEvents = async (plane: ControlPlane, namespace: string): Promise<readonly SweepEvent[]> => {
  const events = await plane.api.list<SweepEvent>('event', { namespace, fields: 'reportingComponent=belay' });
  return events.filter(({ reason }) => /^Drift(Detected|Resolved|Repaired|RepairFailed)$/.test(reason));
};

export const waitForEvent = (
  plane: ControlPlane,
  namespace: string,
  reason: string,
  pattern: RegExp,
  /** Which object it is on; any unless told. */
  on?: string,
): Promise<SweepEvent> =>
  waitUntil(
    `${reason} ${pattern}`,
    async () =>
      (await sweepEvents(plane, namespace)).find(
        ({ reason: found, message, involvedObject }) =>
          found === reason && pattern.test(message) && (on === undefined || involvedObject.name === on),
      ),
    { timeoutMs: 30_000 },
  );
