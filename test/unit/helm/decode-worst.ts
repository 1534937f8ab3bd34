import { readFileSync } from 'node:fs';
import { createDecoder } from '../../../src/helm/decoder.ts';
import { createTextMemory } from '../../../src/helm/text-memory.ts';

/**
 * Decodes a payload in two threads at once, and prints the most memory that the process took and what the answers were. A program of its
 * own: the peak of memory is that of a whole process. The arguments are two files with the same payload, compressed in two ways.
 */
const [first, second] = process.argv.slice(2).map((file) => Uint8Array.from(readFileSync(file)));
if (first === undefined || second === undefined) throw new Error('give two files');
const decoder = createDecoder(createTextMemory());
const { signal } = new AbortController();
const wanted = { group: '', kind: 'A', name: 'a' };
const kind = 'ConfigMap';
const jobs = ['team-a', 'team-b'].flatMap((team) => [
  decoder.run<'comparison'>({ want: 'comparison', kind, before: first.slice(), after: second.slice() }, team, signal),
  decoder.run<'documents'>({ want: 'documents', kind, payload: first.slice(), wanted }, team, signal),
]);
const answers = (await Promise.allSettled(jobs)).map(({ status }) => status);
await decoder.close();
const peakMib = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(JSON.stringify({ peakMib, failed: answers.filter((status) => status === 'rejected').length }));
