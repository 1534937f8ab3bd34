import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ProxyEnvironment, proxyFor } from '../../../src/kubernetes/proxy.ts';

const PROXY = 'http://proxy.example.com:3128';

interface Case {
  readonly name: string;
  readonly server?: string;
  readonly proxyUrl?: string;
  readonly env: ProxyEnvironment;
  readonly expect: string | undefined;
}

/** What NO_PROXY is expected to do is what Go's httpproxy does. */
const cases: readonly Case[] = [
  { name: 'nothing is set', env: {}, expect: undefined },
  { name: "the kubeconfig's", proxyUrl: 'socks5://bastion:1080', env: {}, expect: 'socks5://bastion:1080' },
  {
    name: "the kubeconfig's before the environment's, wherever the server is",
    server: 'https://127.0.0.1:6443',
    proxyUrl: 'http://bastion:80',
    env: { HTTPS_PROXY: PROXY, NO_PROXY: '*' },
    expect: 'http://bastion:80',
  },
  { name: "the environment's", env: { HTTPS_PROXY: PROXY }, expect: PROXY },
  { name: 'in lower case', env: { https_proxy: PROXY }, expect: PROXY },
  { name: 'without a scheme', env: { HTTPS_PROXY: 'proxy:3128' }, expect: 'http://proxy:3128' },
  { name: 'that of another protocol', env: { HTTP_PROXY: PROXY }, expect: undefined },
  { name: 'a server without TLS', server: 'http://api.example.com', env: { HTTP_PROXY: PROXY }, expect: PROXY },
  { name: 'never for this machine', server: 'https://127.0.0.1:6443', env: { HTTPS_PROXY: PROXY }, expect: undefined },
  { name: 'never for localhost', server: 'https://localhost:6443', env: { HTTPS_PROXY: PROXY }, expect: undefined },
  { name: 'never for ::1', server: 'https://[::1]:6443', env: { HTTPS_PROXY: PROXY }, expect: undefined },
  ...(
    [
      ['https://api.example.com', '*', true],
      ['https://api.example.com', 'example.com', true],
      ['https://example.com', 'example.com', true],
      ['https://api.example.com', '.example.com', true],
      ['https://example.com', '.example.com', false],
      ['https://api.example.com', '*.example.com', true],
      ['https://badexample.com', 'example.com', false],
      ['https://API.example.com', 'other.org, api.EXAMPLE.com', true],
      ['https://api.example.com', 'api.example.com:443', true],
      ['https://api.example.com:6443', 'api.example.com:443', false],
      ['https://10.96.0.1', '10.96.0.1', true],
      ['https://10.96.0.1', '10.0.0.0/8', true],
      ['https://10.96.0.1:6443', '192.168.0.0/16,10.96.0.0/12', true],
      ['https://11.0.0.1', '10.0.0.0/8', false],
      ['https://api.example.com', '10.0.0.0/8', false],
      ['https://10.96.0.1', '10.0.0.0/99', false],
      ['https://[fd00::1]', 'fd00::/8', true],
      ['https://[fd00::1]', '[fd00::1]', true],
      ['https://[fd00::1]:6443', '[fd00::1]:443', false],
      ['https://[fe80::1]', 'fd00::/8', false],
      ['https://api.example.com', ' , ,', false],
    ] as const
  ).map(
    ([server, NO_PROXY, exempt]): Case => ({
      name: `${server} where NO_PROXY is ${NO_PROXY}`,
      server,
      env: { HTTPS_PROXY: PROXY, NO_PROXY },
      expect: exempt ? undefined : PROXY,
    }),
  ),
];

describe('the proxy on the way to the API server', () => {
  for (const { name, server = 'https://api.example.com', proxyUrl, env, expect } of cases) {
    test(name, () => assert.equal(proxyFor(server, proxyUrl, env), expect));
  }
});
