import { readFileSync } from 'node:fs';
import { type Cluster, KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Connection } from './api.ts';
import { proxyFor } from './proxy.ts';

/** Connections to the API server: 64 for requests of reviews (serve.ts), one for each watch, and the rest for what else is asked. */
const MAX_CONNECTIONS = 96;

/** Below the 90 s after which the API server gives an idle connection up, so that none is given up while it is being used again. */
const KEEP_ALIVE_MS = 60_000;

/** The kernel asks a silent connection after this long, and gives it up when ten questions, a second apart, were not answered (libuv). */
const PROBE_AFTER_MS = 5_000;

/** As long as the longest review (timeoutSeconds of the webhooks): what was asked before is answered, or nobody waits for it any more. */
const RETIRE_AFTER_MS = 10_000;

/** How long credentials are kept before they are read again: projected tokens are rotated on disk. */
const CREDENTIALS_FRESH_MS = 30_000;

const pem = (data: string | undefined, file: string | undefined): Buffer | undefined => {
  if (data !== undefined) return Buffer.from(data, 'base64');
  return file === undefined ? undefined : readFileSync(file);
};

/**
 * Connects as kubectl would: the named kubeconfig, else the pod's service account, else the user's default.
 * Throws when there is no cluster to talk to.
 */
export const connect = (kubeconfigPath: string | undefined, nowMs: () => number): LastingConnection => {
  const config = new KubeConfig();
  if (kubeconfigPath === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfigPath);
  const cluster = config.getCurrentCluster();
  // client-node falls back to http://localhost:8080, where nobody has listened for years.
  if (cluster === null || !cluster.server.startsWith('https:')) {
    throw new Error(
      'no cluster to talk to: neither a kubeconfig (--kubeconfig, KUBECONFIG) nor a service account was found',
    );
  }
  return openConnection(config, cluster, nowMs);
};

/** For a process that stays. */
export interface LastingConnection extends Connection {
  /**
   * Gives up all that is open, and begins anew. A connection that died without a word (a node that is gone, a NAT that forgot it) is given up
   * by the kernel only after a quarter of an hour (net.ipv4.tcp_retries2).
   */
  reconnect(): void;
  /** Goes on with new connections, and gives up what is open when it has had time to be answered. */
  renew(): void;
}

export interface ConnectionOptions {
  /** The user's, where a program had to be asked for it. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
}

/** Headers that sign in as the current user of the configuration. */
const createHeaders = (config: KubeConfig, nowMs: () => number): Connection['headers'] => {
  let headers: Record<string, string> = {};
  let readAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (nowMs() - readAtMs > CREDENTIALS_FRESH_MS) {
      // client-node knows every way to sign in (exec plugins, OIDC, token files). Only its headers are wanted here.
      const options: { headers?: Record<string, string> } = {};
      await config.applyToHTTPSOptions(options);
      headers = { ...options.headers };
      readAtMs = nowMs();
    }
    return headers;
  };
};

const tlsOf = (config: KubeConfig, cluster: Cluster, certificate: ConnectionOptions['certificate']) => {
  const user = config.getCurrentUser();
  const ca = pem(cluster.caData, cluster.caFile);
  const cert = certificate?.cert ?? pem(user?.certData, user?.certFile);
  const key = certificate?.key ?? pem(user?.keyData, user?.keyFile);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(cluster.tlsServerName === undefined ? {} : { servername: cluster.tlsServerName }),
    rejectUnauthorized: cluster.skipTLSVerify !== true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
  };
};
/** Connects to the cluster as the current user of the configuration. */
export const openConnection = (
  config: KubeConfig,
  cluster: Cluster,
  nowMs: () => number,
  { certificate }: ConnectionOptions = {},
): LastingConnection => {
  const tls = tlsOf(config, cluster, certificate);
  const options = {
    connections: MAX_CONNECTIONS,
    // A watch is silent for up to a minute between bookmarks; five minutes of silence mean a dead connection.
    bodyTimeout: 300_000,
    headersTimeout: 30_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // With undici's HTTP/2, errors of a session were seen to surface as uncaught exceptions, which end the process (nodejs/undici#5525), and one
    // dead connection holds up every request. It also joins headers of one name into one, such as several groups to impersonate.
    allowH2: false,
  };
  const proxy = proxyFor(cluster.server, cluster.proxyUrl, process.env);
  const open = (): Dispatcher =>
    proxy === undefined
      ? new Agent({ ...options, connect: tls })
      : new ProxyAgent({ ...options, uri: proxy, requestTls: tls });
  let dispatcher = open();

  return {
    server: cluster.server,
    get dispatcher() {
      return dispatcher;
    },
    reconnect: () => {
      const given = dispatcher;
      dispatcher = open();
      // What is under way fails as unanswered, and is tried again by whoever asked.
      given.destroy().catch(() => undefined);
    },
    renew: () => {
      const given = dispatcher;
      dispatcher = open();
      given.close().catch(() => undefined);
      // Watches would go on for ever.
      setTimeout(() => given.destroy().catch(() => undefined), RETIRE_AFTER_MS).unref();
    },
    headers: createHeaders(config, nowMs),
  };
};
