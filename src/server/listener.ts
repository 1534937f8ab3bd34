import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';

export interface KeyPair {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

/** Where the certificate comes from. Every handshake fails until there is one. */
export interface KeyPairSource {
  current(): KeyPair | undefined;
  /** Returns how to stop listening. */
  onChange(listener: (pair: KeyPair) => void): () => void;
}

export interface ListenerOptions {
  readonly app: RequestListener;
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly source: KeyPairSource;
  /** Clients are asked for a certificate of these authorities, in PEM. Undefined: they are asked for none. Probes never show one. */
  readonly clientCa?: string | undefined;
  readonly log: Logger;
}

export interface RunningServer {
  readonly port: number;
  /** Takes no more connections, drops idle connections, and resolves when the last answer is out. */
  close(): Promise<void>;
  /** Drops all connections, for those that do not end. */
  closeNow(): void;
}

/** The API server's client gives up an idle connection after 90 s (Go's http.Transport, IdleConnTimeout). It should be the first to do so. */
const KEEP_ALIVE_MS = 120_000;

/** Time for a whole request with its body. No webhook waits longer for its answer. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;
const HANDSHAKE_MS = 10_000;

/** Most bytes of a request's headers. The API server sends a few hundred. */
const MAX_HEADER_BYTES = 16 * 1024;

const MIN_TLS = 'TLSv1.2';

export const startServer = async ({
  app,
  address,
  port,
  source,
  clientCa,
  log,
}: ListenerOptions): Promise<RunningServer> => {
  const server = createServer(
    {
      minVersion: MIN_TLS,
      // A client without a certificate may still ask for /livez and /readyz, as kubelets do (client-certificate.ts).
      requestCert: clientCa !== undefined,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    app,
  );
  const adopt = ({ key, cert }: KeyPair): void => {
    try {
      // Open connections keep their old certificate. `setSecureContext` replaces all options, so minVersion is given again.
      server.setSecureContext({ key, cert, minVersion: MIN_TLS, ...(clientCa !== undefined && { ca: clientCa }) });
      log.info('serving with a new certificate');
    } catch (error) {
      log.error({ problem: (error as Error).message }, 'the new certificate cannot be used, going on with the old one');
    }
  };
  const pair = source.current();
  if (pair !== undefined) adopt(pair);
  const stopListening = source.onChange(adopt);
  // These are port scanners, and clients that do not trust Belay's certificate. An administrator need not act on them.
  server.on('tlsClientError', (error) => log.debug({ problem: error.message }, 'a TLS handshake failed'));
  try {
    await listen(server, address, port);
  } catch (error) {
    stopListening();
    throw error;
  }
  server.on('error', (error) => log.error({ problem: error.message }, 'the listener failed'));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        stopListening();
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    closeNow: () => server.closeAllConnections(),
  };
};

const listen = (server: Server, address: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
