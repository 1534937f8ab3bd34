import { createDecoder } from '../../../src/helm/decoder.ts';
import type { RecordKind } from '../../memory/record.ts';

/**
 * Belay's decoder in a process of its own, so that memory and processor time are those of the decoder alone. Decodes each payload that is sent
 * to it in both threads at once.
 */

export interface Sent {
  readonly kind: RecordKind;
  readonly before: string;
  readonly after: string;
}

export interface Reply {
  /** Undefined where a thread did not come back with an answer. */
  readonly answers: readonly (object | undefined)[];
  readonly failures: readonly string[];
  readonly processorMs: number;
  /** The most that the process has taken so far. */
  readonly peakMib: number;
}

const decoder = createDecoder();
const { signal } = new AbortController();
const wanted = { group: '', kind: 'ConfigMap', name: 'c1' };
let jobs = 0;

/** After a long job its namespace rests, and a test has no time for that. */
const namespace = (): string => {
  jobs += 1;
  return `team-${jobs}`;
};

process.on('message', async ({ kind, before, after }: Sent) => {
  const bytes = (encoded: string) => Uint8Array.from(Buffer.from(encoded));
  const started = process.cpuUsage();
  const settled = await Promise.allSettled([
    decoder.run<'comparison'>(
      { want: 'comparison', kind, before: bytes(before), after: bytes(after) },
      namespace(),
      signal,
    ),
    decoder.run<'documents'>({ want: 'documents', kind, payload: bytes(after), wanted }, namespace(), signal),
  ]);
  const { user, system } = process.cpuUsage(started);
  const reply: Reply = {
    answers: settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined)),
    failures: settled.flatMap((each) => (each.status === 'rejected' ? String(each.reason) : [])),
    processorMs: (user + system) / 1000,
    peakMib: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  // Where the test has ended meanwhile, nobody reads the reply.
  process.send?.(reply, undefined, undefined, () => undefined);
});
process.on('disconnect', () => process.exit());
