import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { Certificate } from './pki.ts';

/** Writes a kubeconfig with one context and everything in it; returns its path. */
export async function writeKubeconfig(
  path: string,
  { server, caCertificate, user }: { server: string; caCertificate: string; user: Certificate | { token: string } },
): Promise<string> {
  const credentials =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'belay', cluster: { server, 'certificate-authority-data': base64(caCertificate) } }],
    users: [{ name: 'user', user: credentials }],
    contexts: [{ name: 'belay', context: { cluster: 'belay', user: 'user' } }],
    'current-context': 'belay',
  };
  await writeFile(path, stringify(config, { lineWidth: 0 }), { mode: 0o600 });
  return path;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
