import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

export interface ApiResponse {
  readonly body: unknown;
  readonly ms: number;
}

/** Talks to the API server as one user over one kept connection. Rejects unless the answer is a success. */
export interface ApiClient {
  send(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiResponse>;
  close(): void;
}

interface Kubeconfig {
  readonly clusters: readonly [{ cluster: { server: string; 'certificate-authority-data': string } }];
  readonly users: readonly [
    { user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } },
  ];
}

const decode = (base64: string | undefined): Buffer | undefined =>
  base64 === undefined ? undefined : Buffer.from(base64, 'base64');

export const createApiClient = (kubeconfig: string): ApiClient => {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const [{ cluster }] = config.clusters;
  const [{ user }] = config.users;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  });
  const authorization = user.token === undefined ? {} : { authorization: `Bearer ${user.token}` };
  return {
    send: (method, path, body, contentType = 'application/json') => {
      const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const startMs = performance.now();
      return new Promise((resolve, reject) => {
        const headers = {
          ...authorization,
          ...(bytes && { 'content-type': contentType, 'content-length': bytes.length }),
        };
        const sent = request(new URL(path, cluster.server), { method, agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const ms = performance.now() - startMs;
            const text = Buffer.concat(chunks).toString('utf8');
            if ((response.statusCode ?? 500) < 300) resolve({ ms, body: JSON.parse(text) });
            else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 2000)}`));
          });
        });
        sent.on('error', reject);
        sent.end(bytes);
      });
    },
    close: () => agent.destroy(),
  };
};
