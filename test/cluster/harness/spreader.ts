/**
 * A TCP load balancer for a few local servers, as a Service would be for Belay's pods: round robin by connection, to those
 * whose /readyz says so. `node spreader.ts [--as-kubelet] <address> <port> <backend port>...`
 *
 * As it is, it notices within a quarter of a second, and what one refuses goes to another. As the kubelet it probes as
 * manifests/base/deployment.yaml says, and a refused connection stays refused, as kube-proxy has it.
 */
import { connect, createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { probe } from './probe.ts';

const { values, positionals } = parseArgs({ options: { 'as-kubelet': { type: 'boolean' } }, allowPositionals: true });
const asKubelet = values['as-kubelet'] === true;
const probeIntervalMs = asKubelet ? 2_000 : 250;
const failureThreshold = asKubelet ? 2 : 1;

const [address, port, ...backendPorts] = positionals;
if (!address || !port || backendPorts.length === 0)
  throw new Error('usage: spreader.ts [--as-kubelet] <address> <port> <backend port>...');

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
  const refused = () => spread(client, asKubelet ? [] : others);
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
  let failures = 0;
  for (;;) {
    const url = `https://${address}:${backend.port}`;
    failures = (await probe(`${url}/readyz`)) === undefined ? failures + 1 : 0;
    // Of a container that has ended the kubelet knows without a probe, within about a second.
    const isGone = failures === 1 && (await probe(`${url}/livez`)) === undefined;
    const ready = failures === 0 || (backend.ready && failures < failureThreshold && !isGone);
    if (ready !== backend.ready) console.log(Date.now(), backend.port, ready ? 'in' : 'out');
    backend.ready = ready;
    await new Promise((resolve) => setTimeout(resolve, probeIntervalMs));
  }
}
