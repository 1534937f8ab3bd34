import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { DecodeAnswer } from '../../src/helm/decode-worker.ts';
import type { PayloadSummary } from '../../src/helm/payload.ts';
import { fuzz } from './fuzz.ts';
import type { Reply, Sent } from './payloads/decode-process.ts';
import { honestPair, MANIFEST_OBJECTS, type WrittenPayload, writtenPayload } from './payloads/written-payload.ts';

/** As the Dockerfile starts Belay, in a container of 512 MiB. The rest of Belay takes 100 MiB more than the decoder's process. */
const FLAGS = ['--max-old-space-size=256', '--max-semi-space-size=16', '--v8-pool-size=1'];
const MAX_PEAK_MIB = 400;
/** The longest jobs take some two seconds, and Belay waits four for a job when it ends (src/helm/decoder.ts). Two run at once. */
const MAX_PROCESSOR_MS = 2 * 4_000;

/** The API server takes no longer request (resource.MaxRequestBodyBytes of k8s.io/apiserver), so no longer payload is ever stored. */
const MAX_STORED_BYTES = 3 * 1024 * 1024;

const begin = (): ChildProcess =>
  fork(join(import.meta.dirname, 'payloads', 'decode-process.ts'), { execArgv: FLAGS, serialization: 'advanced' });

let decoding: ChildProcess | undefined;
const end = (): void => {
  decoding?.disconnect();
  decoding = undefined;
};
after(end);

const decode = async (sent: Sent): Promise<Reply> => {
  decoding ??= begin();
  const left = new AbortController();
  const { signal } = left;
  const crashed = once(decoding, 'exit', { signal }).then(([code, by]) => {
    decoding = undefined;
    throw new Error(`the decoder's process ended: ${code ?? by}`);
  });
  crashed.catch(() => undefined);
  decoding.send(sent);
  try {
    const [reply] = (await Promise.race([once(decoding, 'message', { signal }), crashed])) as [Reply];
    return reply;
  } finally {
    left.abort();
  }
};

interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly info: { readonly status: string; readonly deleted: string };
  readonly chart: { readonly metadata: { readonly name: string; readonly version: string } };
  readonly [part: string]: unknown;
}

/** What JSON.parse says of it, in the words of the decoder. */
const summaryOf = ({ name, namespace, version, info, chart: { metadata } }: Release): PayloadSummary => ({
  name,
  namespace,
  revision: version,
  status: info.status,
  deleted: info.deleted,
  chartName: metadata.name,
  chartVersion: metadata.version,
});

const check = (
  { words, fate, json }: WrittenPayload,
  answer: DecodeAnswer<'documents' | 'comparison'>,
): Release | undefined => {
  if (fate === 'read') assert.ok(answer.readable, `${words}: ${answer.readable ? '' : answer.problem}`);
  if (fate === 'refused') assert.ok(!answer.readable, `${words}: was read`);
  if (answer.readable) return JSON.parse(json) as Release;
  // Names of Helm's own fields may stand in it, and nothing of the payload.
  assert.match(answer.problem, /^[a-zA-Z0-9 ._[\]]{1,80}$/);
  return undefined;
};

const isWithinBounds = ({ failures, processorMs, peakMib }: Reply, words: string): void => {
  // The most memory that a process ever took stays with it. The next payload gets another process, so that fast-check can shrink this one.
  if (peakMib > MAX_PEAK_MIB) end();
  assert.deepEqual(failures, [], words);
  assert.ok(processorMs <= MAX_PROCESSOR_MS, `${words}: ${processorMs} ms`);
  assert.ok(peakMib <= MAX_PEAK_MIB, `${words}: ${peakMib} MiB`);
};

const PARTS = ['chart', 'config', 'manifest', 'hooks'] as const;

/** A hook of Helm has no fields that Helm does not know: they are gone with its next write. */
const partOf = (release: Release, part: (typeof PARTS)[number]): unknown => {
  if (part !== 'hooks') return release[part];
  return (release.hooks as readonly Record<string, unknown>[]).map(({ 'x-unknown': _unknown, ...hook }) => hook);
};

fuzz(
  'a payload of costly shapes, of the wrong types or in the wrong encoding is read as JSON.parse reads it, or refused, within the bounds',
  [writtenPayload],
  async (written) => {
    const { words, kind, encoded } = written;
    if (encoded.length > MAX_STORED_BYTES) return;
    const reply = await decode({ kind, before: encoded, after: encoded });
    isWithinBounds(reply, words);
    const [comparison, documents] = reply.answers as [DecodeAnswer<'comparison'>, DecodeAnswer<'documents'>];
    const release = check(written, comparison);
    if (release !== undefined && comparison.readable) {
      assert.deepEqual(comparison.result.after, summaryOf(release), words);
      assert.deepEqual(comparison.result.changed, [], words);
    }
    // The documents are asked for once the record is stored, and was found unambiguous.
    if (release === undefined || !documents.readable) return;
    assert.deepEqual(documents.result.summary, summaryOf(release), words);
    const found = documents.result.found?.documents.filter(({ name }) => name === 'c1') ?? [];
    assert.equal(found.length, 1, words);
    assert.ok(MANIFEST_OBJECTS > 1);
    assert.deepEqual(found[0]?.document, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c1' },
      data: { more: 'x' },
    });
  },
  25,
);

fuzz(
  'of two payloads exactly the parts that differ are told to differ, within the bounds',
  [honestPair],
  async ([one, other]) => {
    const words = `${one.words}; then ${other.words}`;
    if (one.encoded.length > MAX_STORED_BYTES || other.encoded.length > MAX_STORED_BYTES) return;
    const reply = await decode({ kind: other.kind, before: one.encoded, after: other.encoded });
    isWithinBounds(reply, words);
    const [comparison] = reply.answers as [DecodeAnswer<'comparison'>];
    assert.ok(comparison.readable, words);
    const [before, now] = [one, other].map(({ json }) => JSON.parse(json) as Release) as [Release, Release];
    const changed = PARTS.filter((part) => !isDeepStrictEqual(partOf(before, part), partOf(now, part)));
    assert.deepEqual(comparison.result.changed, changed, words);
  },
  25,
);
