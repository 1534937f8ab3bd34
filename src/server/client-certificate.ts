import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** Which clients may ask for reviews. */
export interface ReviewClients {
  /** One or more authorities, in PEM. A client with a certificate from one of them may ask. */
  readonly ca: string;
  /** The certificate must carry one of these common names. Empty: any name will do. */
  readonly names: readonly string[];
}

/**
 * Whether the client of a request's connection has shown such a certificate. `authorized` alone does not tell: when a client without a
 * certificate resumes a TLS session, there is nothing to verify, and Node counts the connection as authorized.
 */
export const createClientCheck = ({ names }: Pick<ReviewClients, 'names'>): ((request: IncomingMessage) => boolean) => {
  /** Remembered for each connection, because an API server sends thousands of reviews over one. */
  const known = new WeakMap<TLSSocket, boolean>();
  const check = (socket: TLSSocket): boolean => {
    const name = commonNameOf(socket);
    return socket.authorized && name !== undefined && (names.length === 0 || names.includes(name));
  };
  return ({ socket }) => {
    if (!(socket instanceof TLSSocket)) return false;
    let isKnown = known.get(socket);
    if (isKnown === undefined) {
      isKnown = check(socket);
      known.set(socket, isKnown);
    }
    return isKnown;
  };
};

/** Undefined without a certificate (Node gives an empty object then). Several names count as none, because nothing says which of them is meant. */
const commonNameOf = (socket: TLSSocket): string | undefined => {
  const certificate = socket.getPeerCertificate() as Partial<ReturnType<TLSSocket['getPeerCertificate']>> | null;
  const name: unknown = certificate?.subject?.CN;
  return typeof name === 'string' ? name : undefined;
};
