import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

/** One keep-alive connection, as the API server holds them. */
export interface ReviewConnection {
  /** Sends one prepared request and resolves with the milliseconds until the whole answer is there; rejects unless it allows. */
  ask(request: Buffer): Promise<number>;
  /** The same, but resolves with whatever was answered. */
  exchange(request: Buffer): Promise<Exchanged>;
  close(): void;
}

export interface Exchanged {
  readonly ms: number;
  /** Head and body. */
  readonly answer: string;
}

/** A whole HTTP request, made once: the load generator shares two cores with what it measures, and must not be the bottleneck. */
export const prepareRequest = (path: string, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      `POST ${path}?timeout=10s HTTP/1.1\r\nHost: belay.belay-system.svc:8443\r\nUser-Agent: kube-apiserver-admission\r\n` +
        `Content-Length: ${body.length}\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\n\r\n`,
    ),
    body,
  ]);

export const openConnection = async (
  target: { readonly host: string; readonly port: number },
  rejectAfterMs = 20_000,
): Promise<ReviewConnection> => {
  const socket: TLSSocket = connect({ ...target, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  socket.setNoDelay(true);
  let received = '';
  let waiting: { resolve: (text: string) => void; reject: (error: Error) => void } | undefined;
  const fail = (error: Error): void => {
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
    if (!(length >= 0)) return fail(new Error(`an answer without its length: ${received.slice(0, 200)}`));
    if (received.length < end + 4 + length) return;
    const answer = received;
    received = '';
    waiting?.resolve(answer);
    waiting = undefined;
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));
  socket.setTimeout(rejectAfterMs, () => waiting && socket.destroy(new Error('no answer')));
  const exchange = async (request: Buffer): Promise<Exchanged> => {
    const startMs = performance.now();
    const answer = await new Promise<string>((resolve, reject) => {
      waiting = { resolve, reject };
      socket.write(request);
    });
    return { answer, ms: performance.now() - startMs };
  };
  return {
    exchange,
    ask: async (request) => {
      const { answer, ms } = await exchange(request);
      if (!answer.includes('"allowed":true')) throw new Error(`not allowed: ${answer.slice(0, 2000)}`);
      return ms;
    },
    close: () => {
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
};

/** Sends `count` requests over these connections, one at a time on each; resolves with each one's milliseconds. */
export const askAll = async (
  connections: readonly ReviewConnection[],
  requests: readonly Buffer[],
  count: number,
): Promise<readonly number[]> => {
  const tookMs: number[] = [];
  let started = 0;
  const drain = async (connection: ReviewConnection): Promise<void> => {
    while (started < count) {
      const request = requests[started % requests.length];
      started += 1;
      if (request !== undefined) tookMs.push(await connection.ask(request));
    }
  };
  await Promise.all(connections.map(drain));
  return tookMs;
};
