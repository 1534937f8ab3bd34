import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Agent } from 'undici';
import { createReleaseIndex } from '../../src/facts/release-index.ts';
import { DEFAULT_INTERVALS } from '../../src/intervals/intervals.ts';
import { createApi } from '../../src/kubernetes/api.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { residentMemoryOf } from './resident-memory.ts';

/**
 * What memory Belay's index takes to start beside Secrets that somebody has filled with metadata, without a control plane: the index runs in a process of
 * its own with the flags of the container, and reads from a server over HTTP that pages as the API server does.
 *
 *   node test/bench/index-memory.ts
 */
const FLAGS = ['--max-old-space-size=256', '--max-semi-space-size=16', '--v8-pool-size=1'];

const LITTERS: readonly { readonly what: string; readonly count: number; readonly metadata: object }[] = [
  { what: 'nothing', count: 0, metadata: {} },
  {
    what: '300 Secrets with 2,600 keys of 250 characters',
    count: 300,
    metadata: {
      managedFields: [
        {
          manager: 'kubectl',
          operation: 'Update',
          time: '2026-01-01T00:00:00Z',
          fieldsV1: {
            'f:data': Object.fromEntries(
              Array.from({ length: 2_600 }, (_, key) => [`f:${String(key).padEnd(250, 'k')}`, {}]),
            ),
          },
        },
      ],
    },
  },
  {
    what: '520 Secrets with an annotation of 250 KB',
    count: 520,
    metadata: { annotations: { 'example.com/junk': 'x'.repeat(250 * 1024) } },
  },
];

const serve = async (count: number, metadata: object) => {
  const rest = JSON.stringify(metadata).slice(1, -1);
  const itemAt = (index: number): string =>
    `{"metadata":{"name":"junk-${index}","namespace":"shop","labels":{"owner":"helm"}${rest && ','}${rest}}}`;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    response.writeHead(200, { 'content-type': 'application/json' });
    if (url.searchParams.has('watch')) {
      response.flushHeaders();
      return;
    }
    const total = url.pathname === '/api/v1/secrets' ? count : 0;
    const from = Number(url.searchParams.get('continue') ?? 0);
    const until = Math.min(total, from + Number(url.searchParams.get('limit') ?? total));
    const pieces = function* (): Generator<string> {
      yield `{"metadata":{"resourceVersion":"1"${until < total ? `,"continue":"${until}"` : ''}},"items":[`;
      for (let index = from; index < until; index += 1) yield `${index > from ? ',' : ''}${itemAt(index)}`;
      yield ']}';
    };
    // A client that has seen enough goes away.
    await pipeline(Readable.from(pieces()), response).catch(() => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** Runs until it is synced, and tells its memory. */
const runIndex = async (url: string): Promise<void> => {
  const connection = { server: url, headers: async () => ({}), dispatcher: new Agent() };
  const log = createLog({ write: () => true });
  const index = createReleaseIndex(createApi(connection), log, DEFAULT_INTERVALS.mirrors);
  const startMs = performance.now();
  void index.run(new AbortController().signal);
  while (!index.isSynced()) await new Promise((resolve) => setTimeout(resolve, 20));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  process.send?.({ peakMib: residentMemoryOf(process.pid).peakMib, seconds, cpuSeconds }, () => process.exit(0));
};

const [mode, url = ''] = process.argv.slice(2);
if (mode === 'index') await runIndex(url);
else
  for (const { what, count, metadata } of LITTERS) {
    const server = await serve(count, metadata);
    const child: ChildProcess = fork(import.meta.filename, ['index', server.url], { execArgv: FLAGS });
    const [told] = await Promise.race([once(child, 'message'), once(child, 'exit').then(([code]) => [{ code }])]);
    console.log(what, JSON.stringify(told));
    server.close();
  }
