/**
 * A TCP load balancer for a few local servers, as a Service would be for Belay's pods: round robin by connection, to those
 * whose /readyz says so. `node spreader.ts <address> <port> <backend port>...`
 */
import { connect, createServer, type Socket } from 'node:net';
import { probe } from './probe.ts';

const probeIntervalMs = 250;

const [address, port, ...backendPorts] = process.argv.slice(2);
if (!address || !port || backendPorts.length === 0)
  throw new Error('usage: spreader.ts <address> <port> <backend port>...');

const backends = backendPorts.map((backendPort) => ({ port: Number(backendPort), ready: false }));
let next = 0;

createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
  const ready = backends.filter((backend) => backend.ready);
  const first = next++;
  spread(
    client,
    ready.map((_, index) => ready[(first + index) % ready.length]?.port ?? 0),
  );
}).listen(Number(port), address);

for (const backend of backends) void watchReadiness(backend);

/** Connects the client to the first of the ports that accepts. */
function spread(client: Socket, [backendPort, ...others]: readonly number[]): void {
  if (backendPort === undefined) {
    client.destroy();
    return;
  }
  const server = connect({ port: backendPort, host: address as string, noDelay: true });
  const refused = () => spread(client, others);
  server.once('error', refused);
  server.once('connect', () => {
    server.off('error', refused);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
}

async function watchReadiness(backend: (typeof backends)[number]): Promise<void> {
  for (;;) {
    backend.ready = (await probe(`https://${address}:${backend.port}/readyz`)) !== undefined;
    await new Promise((resolve) => setTimeout(resolve, probeIntervalMs));
  }
}
