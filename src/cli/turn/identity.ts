import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';

const userName = (): string => {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a container that runs as a uid without an entry in /etc/passwd
  }
};

/** Who holds a lock: for people who and where, for machines unique per process, also where all containers have one name and pid 1. */
export const makeIdentity = (): string => `${userName()}@${hostname()} pid ${process.pid} ${randomUUID()}`;

/** Without what is there for machines alone. */
export const showIdentity = (identity: string): string =>
  identity.replace(/ [\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, '');
