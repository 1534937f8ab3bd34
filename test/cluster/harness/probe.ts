import { request } from 'node:https';
import type { Certificate } from './pki.ts';

export interface ProbeOptions {
  readonly caCertificate?: string;
  readonly client?: Certificate;
  readonly timeoutMs?: number;
}

/** The body of a GET if it is answered with 200, else undefined. Without a CA certificate the server's name is not verified. */
export function probe(
  url: string,
  { caCertificate, client, timeoutMs = 2_000 }: ProbeOptions = {},
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const get = request(url, {
      agent: false,
      timeout: timeoutMs,
      ...(caCertificate ? { ca: caCertificate } : { rejectUnauthorized: false }),
      ...(client && { cert: client.certificate, key: client.key }),
    });
    get.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('close', () => resolve(response.statusCode === 200 && response.complete ? body : undefined));
    });
    get.on('timeout', () => get.destroy());
    get.on('error', () => resolve(undefined));
    get.end();
  });
}
