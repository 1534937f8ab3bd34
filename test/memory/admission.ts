import type { KubernetesObject, UserInfo } from '../../src/kubernetes/object.ts';
import type { Place } from './resources.ts';

/** Who asks the API server, and by which program. */
export interface Caller {
  readonly user: UserInfo;
  /** What `managedFields` calls the program, unless the request names a fieldManager. */
  readonly manager: string;
}

/** A write on its way into the store. */
export interface Attempt {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly place: Place;
  /** `request.name` of the review: empty for a collection, and for a name that is still to be generated. */
  readonly requestName: string;
  readonly caller: Caller;
  readonly dryRun: boolean;
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject | undefined;
}

/** What stands between a request and the store. Both reject with StatusError where a webhook refuses. */
export interface Admission {
  /** Gives back the object as the mutating webhooks leave it. */
  mutate(attempt: Attempt, after: KubernetesObject, warn: (text: string) => void): Promise<KubernetesObject>;
  validate(attempt: Attempt, warn: (text: string) => void): Promise<void>;
}

export const admitsAll: Admission = {
  mutate: async (_attempt, after) => after,
  validate: async () => undefined,
};
