import type { Api } from '../../kubernetes/api.ts';
import type { Answer } from './ask.ts';
import type { Place, Webhook } from './shipped.ts';
import type { Deployment } from './workload-objects.ts';

export interface Configuration {
  readonly webhooks?: readonly Webhook[];
}

export interface List<T> {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly T[];
}

/** The input of all checks. It contains everything that several checks need, read once. */
export interface CheckContext {
  /** With the rights of the user, and with limits (ask.ts). */
  readonly api: Api;
  /** Warnings of the API server and its webhooks so far, about writes that passed. */
  readonly warnings: ReadonlySet<string>;
  readonly nowMs: number;
  /** `belay`, `kubectl belay` or `helm lock`. */
  readonly command: string;
  readonly place: Place;
  /** The namespace where writes are tried. */
  readonly probeNamespace: string;
  /** `v1.36.3`. Empty: the API server does not say. */
  readonly serverVersion: string;
  readonly serverLatencyMs: number;
  readonly validating: Answer<Configuration>;
  readonly mutating: Answer<Configuration>;
  readonly deployments: Answer<List<Deployment>>;
  readonly certificates: Certificates;
}

/** The origin of Belay's certificates, by the arguments of `belay serve`. */
export interface Certificates {
  /** The Secret with the serving certificate. */
  readonly secret: string;
  /** Whether Belay makes the certificates, and writes the Secret. */
  readonly areOwn: boolean;
  /** Whether Belay writes the caBundles. */
  readonly areInjected: boolean;
}
