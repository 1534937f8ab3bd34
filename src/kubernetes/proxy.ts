// Our own, after golang.org/x/net/http/httpproxy: npm's proxy-from-env does not read networks in NO_PROXY, and undici's EnvHttpProxyAgent neither.
import { BlockList, isIP, isIPv6 } from 'node:net';

/** The environment, as in `process.env`. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/** Go reads the upper case name first (golang.org/x/net/http/httpproxy, which kubectl and Helm use). */
const setting = (env: ProxyEnvironment, name: string): string => env[name] || env[name.toLowerCase()] || '';

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** Whether one entry of NO_PROXY, without its port, names a host. The entry is an address, a network, a name with all names below it, or `*`. */
const covers = (entry: string, host: string): boolean => {
  if (entry === '*') return true;
  const [network = '', bits] = entry.split('/');
  if (isIP(network) !== 0 && bits !== undefined) {
    if (isIP(host) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (isIPv6(network) ? 128 : 32)) return false;
    const list = new BlockList();
    list.addSubnet(network, Number(bits), familyOf(network));
    return list.check(host, familyOf(host));
  }
  const name = entry.replace(/^\*(?=\.)/, '');
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
};

/** `[::1]:443` and `example.com:443` name a port; `::1` and `fd00::/8` do not. */
const splitPort = (entry: string): { readonly host: string; readonly port: string | undefined } => {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [undefined, entry];
  return { host: bracketed ?? plain, port };
};

const isLoopback = (host: string): boolean => host === 'localhost' || host.startsWith('127.') || host === '::1';

const isExempt = (host: string, port: string, noProxy: string): boolean =>
  isLoopback(host) ||
  noProxy.split(',').some((text) => {
    const entry = splitPort(text.trim().toLowerCase());
    return entry.host !== '' && (entry.port === undefined || entry.port === port) && covers(entry.host, host);
  });

/**
 * The proxy through which a server is reached, as kubectl and Helm choose it: the `proxy-url` of the kubeconfig's cluster, else HTTPS_PROXY
 * (HTTP_PROXY for a server without TLS). Undefined where there is none, or where NO_PROXY names the server. Networks in NO_PROXY count, because
 * a Pod reaches its API server by an address of the Service network.
 */
export const proxyFor = (server: string, proxyUrl: string | undefined, env: ProxyEnvironment): string | undefined => {
  if (proxyUrl) return proxyUrl;
  const { protocol, hostname, port } = new URL(server);
  const proxy = setting(env, protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === '') return undefined;
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isExempt(host, port || (protocol === 'https:' ? '443' : '80'), setting(env, 'NO_PROXY'))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
};
