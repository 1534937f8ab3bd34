import { connect, createServer, type Socket } from 'node:net';

/** A wire between two programs: it passes bytes, and can be cut. */
export interface CuttingProxy {
  readonly port: number;
  /** Cuts what is open; what comes next passes. */
  cut(): void;
  /** Cuts what is open, and refuses what comes next, until `mend`. */
  sever(): void;
  /** What is open stays open and passes nothing any more, in either direction, for good; what comes next passes. */
  deaden(): void;
  mend(): void;
  close(): Promise<void>;
}

export const startCuttingProxy = async (address: string, targetPort: number): Promise<CuttingProxy> => {
  const pairs = new Set<readonly [Socket, Socket]>();
  let severed = false;
  const server = createServer({ noDelay: true }, (client) => {
    if (severed) {
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: targetPort, host: address, noDelay: true });
    const pair = [client, target] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [target, client]] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  const cut = (): void => {
    for (const [client, target] of pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  };
  return {
    port: (server.address() as { port: number }).port,
    cut,
    sever: () => {
      severed = true;
      cut();
    },
    deaden: () => {
      for (const pair of pairs) {
        for (const socket of pair) {
          socket.unpipe();
          socket.pause();
        }
      }
    },
    mend: () => {
      severed = false;
    },
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
