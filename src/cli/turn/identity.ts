import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';

const userName = (): string => {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // the uid of a container may have no entry in /etc/passwd
  }
};

/** Names the holder of a lock. The user and the host are for people. The UUID makes it unique, because containers may share a name and pid 1. */
export const makeIdentity = (): string => `${userName()}@${hostname()} pid ${process.pid} ${randomUUID()}`;

/** The identity without its UUID. */
export const showIdentity = (identity: string): string =>
  identity.replace(/ [\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, '');
