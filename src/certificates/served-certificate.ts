import type { ServingCertificate } from './take-step.ts';

/** The certificate that this replica serves, and those who want to know when it changes. */
export interface ServedCertificate {
  current(): ServingCertificate | undefined;
  serve(next: ServingCertificate): void;
  /** Called with each new certificate. Returns how to stop that. */
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
  /** How many certificates this replica began to serve. */
  reloads(): number;
}

export const createServedCertificate = (): ServedCertificate => {
  const listeners = new Set<(certificate: ServingCertificate) => void>();
  let current: ServingCertificate | undefined;
  let reloads = 0;
  return {
    current: () => current,
    serve: (next) => {
      const isReload = current?.cert !== next.cert || current.key !== next.key;
      current = next;
      if (!isReload) return;
      reloads += 1;
      for (const listener of listeners) listener(next);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    reloads: () => reloads,
  };
};
