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
  /** The body of a GET as it is written, which need not be JSON. */
  text(path: string, accept?: string): Promise<string>;
  close(): void;
}

/** The API server has answered, with a status of 300 or more. */
export class RefusedRequest extends Error {
  readonly status: number;

  constructor(what: string, status: number, body: string) {
    super(`${what}: ${status} ${body.slice(0, 2000)}`);
    this.name = 'RefusedRequest';
    this.status = status;
  }
}

interface Kubeconfig {
  readonly clusters: readonly [{ cluster: { server: string; 'certificate-authority-data': string } }];
  readonly users: readonly [
    { user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } },
  ];
}

interface Answer {
  readonly text: string;
  readonly ms: number;
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

  const exchange = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    bytes?: Buffer,
  ): Promise<Answer> => {
    const startMs = performance.now();
    return new Promise((resolve, reject) => {
      const options = { method, agent, headers: { ...authorization, ...headers } };
      const sent = request(new URL(path, cluster.server), options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const ms = performance.now() - startMs;
          const text = Buffer.concat(chunks).toString('utf8');
          const status = response.statusCode ?? 500;
          if (status < 300) resolve({ ms, text });
          else reject(new RefusedRequest(`${method} ${path}`, status, text));
        });
      });
      sent.on('error', (error) => {
        // An API server that was started anew knows nothing of the connection that was kept; a read is made again on a new one.
        if (method === 'GET' && sent.reusedSocket) exchange(method, path, headers).then(resolve, reject);
        else reject(error);
      });
      sent.end(bytes);
    });
  };

  return {
    send: async (method, path, body, contentType = 'application/json') => {
      const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const headers = bytes ? { 'content-type': contentType, 'content-length': String(bytes.length) } : {};
      const { text, ms } = await exchange(method, path, headers, bytes);
      return { ms, body: JSON.parse(text) };
    },
    text: async (path, accept = '*/*') => (await exchange('GET', path, { accept })).text,
    close: () => agent.destroy(),
  };
};
