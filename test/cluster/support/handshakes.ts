import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { Api } from '../../../src/kubernetes/api.ts';

export interface HandshakeOptions {
  readonly admin: Api;
  /** Of the replicas. */
  readonly urls: readonly string[];
  readonly servername: string;
}

/** A connection as an API server makes it that knows the caBundle as it was a moment ago. */
const shake = async (url: string, servername: string, ca: string): Promise<string> => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), servername, ca });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.serialNumber ?? '';
  } finally {
    socket.destroy();
  }
};

/** New connections to each replica, one after the other, until it is stopped: the API server itself keeps those that it has. */
export const startHandshakes = ({ admin, urls, servername }: HandshakeOptions) => {
  const failed: string[] = [];
  const serials = new Set<string>();
  let [made, stopped] = [0, false];
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/belay';

  const run = async (): Promise<void> => {
    while (!stopped) {
      const { webhooks } = await admin.request<{ webhooks: readonly { clientConfig: { caBundle?: string } }[] }>({
        path,
      });
      const ca = Buffer.from(webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString();
      for (const url of urls) {
        await shake(url, servername, ca).then(
          (serial) => {
            serials.add(serial);
            made += 1;
          },
          (error: Error) => failed.push(`${new Date().toISOString()} ${url}: ${error.message}`),
        );
      }
      await sleep(100);
    }
  };
  const running = run();
  return {
    async stop() {
      stopped = true;
      await running;
      return { made, failed, serials };
    },
  };
};
