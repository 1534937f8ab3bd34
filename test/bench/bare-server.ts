import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';

/**
 * What every figure is compared with: the least that an admission webhook in Node can be. It reads the body, parses it, and allows.
 * `onReview` sees each body, for recording what the API server really sends.
 */
export const createBareServer = (
  { key, cert }: { readonly key: string; readonly cert: string },
  onReview: (body: Buffer) => void = () => {},
): Server =>
  createServer({ key, cert, keepAliveTimeout: 120_000 }, (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'POST') return send(response, process.cpuUsage());
      const body = Buffer.concat(chunks);
      onReview(body);
      const { uid } = (JSON.parse(body.toString('utf8')) as { request: { uid: string } }).request;
      send(response, { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } });
    });
  });

const send = (response: ServerResponse, value: unknown): void => {
  const text = JSON.stringify(value);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
};

// A process of its own: node bare-server.ts <address> <port> <file of the key> <file of the certificate>
if (import.meta.main) {
  const [address = '', port = '', key = '', cert = ''] = process.argv.slice(2);
  createBareServer({ key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }).listen(Number(port), address);
}
