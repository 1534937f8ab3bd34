import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** The port that manifests/base's Service has, and with it the one that the API server dials. */
export const webhookPort = 8443;

/**
 * A loopback address of a control plane's own. On Linux all of 127.0.0.0/8 is there, so several planes may each have their
 * port 8443; elsewhere there is one address, and so one plane with Belay at a time.
 */
export async function loopbackAddress(): Promise<string> {
  if (process.platform !== 'linux') return '127.0.0.1';
  for (;;) {
    const address = `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
    if (await isFree(address, webhookPort)) return address;
  }
}

/** Ports that nobody listens on, all different. */
export async function freePorts(address: string, count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(address, 0)));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function isFree(address: string, port: number): Promise<boolean> {
  try {
    const server = await listen(address, port);
    await new Promise((resolve) => server.close(resolve));
    return true;
  } catch {
    return false;
  }
}

function listen(address: string, port: number) {
  return new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(port, address, () => resolve(server));
  });
}
