import { gzipSync } from 'node:zlib';
import { createDecoder } from '../../../src/helm/decoder.ts';
import { createTextMemory } from '../../../src/helm/text-memory.ts';

/**
 * Decodes the payload that costs the most of all that are within a bound, in two threads at once, and prints the most memory that the process
 * took and what the answers were. A program of its own: the peak of memory is that of a whole process.
 */
const MIB = 1024 * 1024;
const release = (more: string): string => `{"name":"web","version":1,"info":{"status":"deployed"}${more}}`;

const PAYLOADS: Readonly<Record<string, () => string>> = {
  'nothing else': () => release(''),
  '190,000 objects of different shapes': () =>
    release(`,"config":[${Array.from({ length: 63_000 }, (_, index) => `{"k${index}":{}}`).join(',')}]`),
  'a million digits and commas': () => release(`,"config":[${'1,'.repeat(199_000)}1]`),
  '3,900 texts of 1 KB': () => release(`,"config":[${'"é'}${`${'é'.repeat(500)}","`.repeat(3_900)}"]`),
  '30 MB of texts that are kept apart': () => release(`,"config":[${`"${'é'.repeat(512)}",`.repeat(28_000)}1]`),
  'a manifest of 31 MB beyond ASCII': () => release(`,"manifest":"${'é\\n'.repeat(7.7 * MIB)}"`),
  'a manifest of 31 MB of small objects': () =>
    release(`,"manifest":"${'apiVersion: v1\\nkind: A\\nmetadata: {name: a}\\n---\\n'.repeat(600_000)}"`),
  'a manifest with the most expensive document': () =>
    release(`,"manifest":"apiVersion: v1\\nkind: A\\nmetadata: {name: a}\\nx: [${'[],'.repeat(60_000)}1]\\n"`),
  'a manifest of backslashes': () => release(`,"manifest":"${'\\\\'.repeat(15 * MIB)}"`),
};

const [name = ''] = process.argv.slice(2);
const json = PAYLOADS[name]?.() ?? '';
const encoded = (level: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(gzipSync(json, { level }).toString('base64')));
const [first, second] = [encoded(1), encoded(9)];
const decoder = createDecoder(createTextMemory());
const { signal } = new AbortController();
const wanted = { group: '', kind: 'A', name: 'a' };
const kind = 'ConfigMap';
const answers: string[] = [];
for (let time = 0; time < 3; time += 1) {
  const jobs = ['team-a', 'team-b'].flatMap((team) => [
    decoder.run<'comparison'>({ want: 'comparison', kind, before: first.slice(), after: second.slice() }, team, signal),
    decoder.run<'documents'>({ want: 'documents', kind, payload: first.slice(), wanted }, team, signal),
  ]);
  for (const { status } of await Promise.allSettled(jobs)) answers.push(status);
}
await decoder.close();
const peakMib = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(
  JSON.stringify({ peakMib, failed: answers.filter((status) => status === 'rejected').length, jsonBytes: json.length }),
);
