import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, RefusedRequest } from '../cluster/harness/api-client.ts';
import type { BelayReplica } from '../cluster/harness/control-plane.ts';
import { TENANT } from './floods.ts';
import { compared, type Line, mebibytes } from './report.ts';
import { residentMemoryOf } from './resident-memory.ts';

/** Secrets that a tenant labels as records of Helm and never takes away: Belay meets them at each start. */
interface Litter {
  readonly what: string;
  readonly count: number;
  readonly secret: object;
}

const MAX_RESIDENT_MIB = 400;

/** The API server spends tenths of a second on each such object. A write that it gives up is made again. */
const TRIES = 5;
const WRITERS = 2;

/** For the watches to be open, and what they bring to be read. */
const SETTLE_MS = 3_000;

const LITTERS: readonly Litter[] = [
  {
    what: '300 Secrets with 2,600 keys of 250 characters',
    count: 300,
    secret: { data: Object.fromEntries(Array.from({ length: 2_600 }, (_, key) => [`${key}`.padEnd(250, 'k'), ''])) },
  },
  {
    what: '520 Secrets with an annotation of 250 KB',
    count: 520,
    secret: { annotations: { 'example.com/junk': 'x'.repeat(250 * 1024) } },
  },
];

const secrets = `/api/v1/namespaces/${TENANT}/secrets`;

const bodyOf = (name: string, { secret }: Litter): object => {
  const { annotations, ...rest } = secret as { readonly annotations?: object };
  return { ...rest, metadata: { name, labels: { owner: 'helm' }, ...(annotations && { annotations }) } };
};

/** What was stored although it was given up is stored. */
const persistently = async (work: () => Promise<unknown>): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      const status = error instanceof RefusedRequest ? error.status : 0;
      if (status === 409 || status === 404) return;
      if (status < 500 || tries === TRIES) throw error;
    }
  }
};

const forEach = async (count: number, work: (index: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const drain = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await persistently(() => work(index));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, drain));
};

/** What memory Belay needs to start while the litter is there, and while it changes. */
export const measureLitter = async (tenant: ApiClient, belay: BelayReplica): Promise<readonly Line[]> => {
  const lines: Line[] = [];
  for (const litter of LITTERS) {
    await forEach(litter.count, (index) => tenant.send('POST', secrets, bodyOf(`litter-${index}`, litter)));
    await belay.restart();
    await sleep(SETTLE_MS);
    const { peakMib } = residentMemoryOf(belay.pid);
    lines.push(
      compared(`start beside ${litter.what}: resident memory, at most`, peakMib, ['<=', MAX_RESIDENT_MIB], mebibytes),
    );
    await forEach(litter.count, (index) => {
      const labels = { touched: String(index) };
      return tenant.send(
        'PATCH',
        `${secrets}/litter-${index}`,
        { metadata: { labels } },
        'application/merge-patch+json',
      );
    });
    await sleep(SETTLE_MS);
    const watched = residentMemoryOf(belay.pid).peakMib;
    lines.push(compared('- after each of them was changed', watched, ['<=', MAX_RESIDENT_MIB], mebibytes));
    await forEach(litter.count, (index) => tenant.send('DELETE', `${secrets}/litter-${index}`));
  }
  return lines;
};
