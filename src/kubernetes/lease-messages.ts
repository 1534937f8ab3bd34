import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Api } from './api.ts';
import { type Lease, type LeaseName, leasePath } from './lease.ts';

/** Annotations of this prefix carry messages to the holder of a Lease. The holder takes them away with its next renewal. */
const MESSAGE = 'message.belay.dev/';

/** Messages of one second. The annotations of a Lease have room for a thousand (256 KiB). */
const MAX_MESSAGES = 100;

export const messagesOf = (lease: Lease | undefined): readonly string[] =>
  Object.entries(lease?.metadata?.annotations ?? {}).flatMap(([key, message]) =>
    key.startsWith(MESSAGE) ? [message] : [],
  );

export const annotationsWithoutMessages = (lease: Lease | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(lease?.metadata?.annotations ?? {}).filter(([key]) => !key.startsWith(MESSAGE)));

/** Messages that wait to be written into the Lease. */
export interface Outbox {
  /** The same message is sent once. A message for which there is no room is lost. */
  add(message: string): void;
  /** Sends everything that waits. Never rejects: what cannot be sent is lost. */
  send(signal: AbortSignal): Promise<void>;
}

export const createOutbox = (api: Api, lease: LeaseName, log: Logger): Outbox => {
  const waiting = new Set<string>();
  return {
    add: (message) => {
      if (waiting.size < MAX_MESSAGES) waiting.add(message);
    },
    send: async (signal) => {
      if (waiting.size === 0) return;
      const messages = [...waiting];
      waiting.clear();
      const annotations = Object.fromEntries(messages.map((message) => [`${MESSAGE}${randomUUID()}`, message]));
      await api
        .request({
          method: 'PATCH',
          path: leasePath(lease),
          contentType: 'application/merge-patch+json',
          body: { metadata: { annotations } },
          signal,
        })
        .catch((error: unknown) =>
          log.debug({ lease: lease.name, err: (error as Error).message }, 'a message was lost'),
        );
    },
  };
};
