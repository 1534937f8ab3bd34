/**
 * Writes a certificate authority and a serving certificate into this directory, for trying Belay by hand. See README.md.
 *
 *   node certs/make-development-certificate.ts [more DNS names ...]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { issueAuthority, issueLeaf, serviceDnsNames } from '../src/certificates/issue.ts';

const path = (name: string): string => join(import.meta.dirname, name);

const write = (name: string, pem: string, what: string): void => {
  // Keys are for their owner alone; a file that is there already keeps its mode, so it is set at the first write.
  writeFileSync(path(name), pem, { mode: name.endsWith('.key') ? 0o600 : 0o644 });
  console.log(`wrote ${relative(process.cwd(), path(name)).padEnd(14)}  ${what}`);
};

const now = Date.now();
const dnsNames = [...serviceDnsNames('belay', 'belay-system'), 'localhost', ...process.argv.slice(2)];

if (existsSync(path('ca.crt')) && existsSync(path('ca.key'))) {
  console.log(`kept  ${relative(process.cwd(), path('ca.crt')).padEnd(14)}  delete it for a new authority`);
} else {
  const authority = await issueAuthority({ now });
  write('ca.crt', authority.cert, 'certificate authority, valid for ten years: what clients are to trust');
  write('ca.key', authority.key, 'its private key');
}

const authority = { cert: readFileSync(path('ca.crt'), 'utf8'), key: readFileSync(path('ca.key'), 'utf8') };
const leaf = await issueLeaf(authority, { now, dnsNames });
write('tls.crt', leaf.cert, `serving certificate, valid for a year, for ${dnsNames.join(', ')}`);
write('tls.key', leaf.key, 'its private key');
