import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** Who may ask for reviews. */
export interface ReviewClients {
  /** PEM: one or more authorities. Who has a client certificate from one of them may ask. */
  readonly ca: string;
  /** The certificate must carry one of these common names. Empty: any name will do. */
  readonly names: readonly string[];
}

/**
 * Whether a request comes over a connection whose client has shown such a certificate. `authorized` alone does not tell: where a client
 * without a certificate resumes a TLS session, there is nothing to verify, and Node counts the connection as authorized.
 */
export const createClientCheck = ({ names }: Pick<ReviewClients, 'names'>): ((request: IncomingMessage) => boolean) => {
  /** An API server keeps its connections, and sends thousands of reviews over each. */
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

/** Undefined without a certificate, for which Node gives an empty object. Several names count as none, because nothing says which of them holds. */
const commonNameOf = (socket: TLSSocket): string | undefined => {
  const certificate = socket.getPeerCertificate() as Partial<ReturnType<TLSSocket['getPeerCertificate']>> | null;
  const name: unknown = certificate?.subject?.CN;
  return typeof name === 'string' ? name : undefined;
};
