import { readFileSync } from 'node:fs';
import { type Cluster, KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Connection } from './api.ts';
import { proxyFor } from './proxy.ts';

/** Connections to the API server: 64 for the requests of reviews (serve.ts), one for each watch, and the rest for all other requests. */
const MAX_CONNECTIONS = 96;

/** Below the 90 s after which the API server closes an idle connection. So no connection is closed at the moment when it is used again. */
const KEEP_ALIVE_MS = 60_000;

/** The kernel probes a silent connection after this long. It closes the connection after ten probes without an answer, a second apart (libuv). */
const PROBE_AFTER_MS = 5_000;

/** As long as the longest review (timeoutSeconds of the webhooks): by then every earlier request is answered, or nobody waits for its answer. */
const RETIRE_AFTER_MS = 10_000;

/** How long credentials are used before they are read again: projected tokens are rotated on disk. */
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
  // client-node falls back to http://localhost:8080, where no API server has listened for years.
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
   * Closes all connections, and opens new ones. The kernel closes a connection that died silently (its node is gone, a NAT forgot it) only after
   * a quarter of an hour (net.ipv4.tcp_retries2).
   */
  reconnect(): void;
  /** Goes on with new connections. Closes the old ones when their requests have had time to be answered. */
  renew(): void;
}

export interface ConnectionOptions {
  /** The certificate of the user, where an exec plugin supplied it. */
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
    // With undici's HTTP/2, errors of a session were seen to become uncaught exceptions, which end the process (nodejs/undici#5525). One dead
    // connection holds up every request. And headers of the same name, such as several groups to impersonate, are joined into one.
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
      // Requests under way fail as unanswered, and their callers try again.
      given.destroy().catch(() => undefined);
    },
    renew: () => {
      const given = dispatcher;
      dispatcher = open();
      given.close().catch(() => undefined);
      // A watch would keep its connection open for ever.
      setTimeout(() => given.destroy().catch(() => undefined), RETIRE_AFTER_MS).unref();
    },
    headers: createHeaders(config, nowMs),
  };
};
