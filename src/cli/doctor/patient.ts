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

/** What the checks look at. What several of them need has been read once. */
export interface Patient {
  /** As whoever runs the command, and bounded. */
  readonly api: Api;
  /** What the API server and its webhooks have said so far about writes that passed. */
  readonly warnings: ReadonlySet<string>;
  readonly nowMs: number;
  /** `belay`, `kubectl belay` or `helm lock`. */
  readonly command: string;
  readonly place: Place;
  /** Where writes are tried. */
  readonly probeNamespace: string;
  /** `v1.36.3`; empty where the API server does not say. */
  readonly serverVersion: string;
  readonly serverLatencyMs: number;
  readonly validating: Answer<Configuration>;
  readonly mutating: Answer<Configuration>;
  readonly deployments: Answer<List<Deployment>>;
  readonly certificates: Certificates;
}

/** Where they come from, by the arguments of `belay serve`. */
export interface Certificates {
  /** The Secret that holds what Belay serves. */
  readonly secret: string;
  /** Whether Belay makes them, and writes that Secret. */
  readonly areOwn: boolean;
  /** Whether Belay writes the caBundles. */
  readonly areInjected: boolean;
}
