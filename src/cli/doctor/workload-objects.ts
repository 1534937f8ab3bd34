import type { KubernetesObject, ObjectMeta } from '../../kubernetes/object.ts';

/** The fields of Kubernetes' own kinds that the checks read. */

export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly args?: readonly string[];
}

export interface Deployment extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec?: { readonly serviceAccountName?: string; readonly containers?: readonly Container[] };
    };
  };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
  };
}

export interface Pod extends KubernetesObject {
  readonly spec?: { readonly containers?: readonly Container[] };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount?: number;
      readonly state?: { readonly waiting?: { readonly reason?: string } };
    }[];
  };
}

export interface EndpointSlice {
  readonly metadata?: ObjectMeta;
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
}

export interface Budget {
  readonly metadata?: ObjectMeta;
  readonly status?: { readonly disruptionsAllowed?: number };
}

/** Selects Belay's Pods and Deployment by label, because their names may differ. */
export const BELAY_SELECTOR = 'app.kubernetes.io/name=belay';

/** Belay's own container. Others, such as a service mesh, may add containers. */
const ownOf = (containers: readonly Container[] | undefined): Container | undefined =>
  containers?.find(({ name }) => name === 'belay') ?? containers?.[0];

export const imageOf = (containers: readonly Container[] | undefined): string | undefined => ownOf(containers)?.image;

/** The value of `--flag=value` or `--flag value` among the arguments of `belay serve`. */
export const flagOf = (deployment: Deployment | undefined, flag: string): string | undefined => {
  const args = ownOf(deployment?.spec?.template?.spec?.containers)?.args ?? [];
  const at = args.findLastIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  return at < 0 ? undefined : args[at] === flag ? args[at + 1] : args[at]?.slice(flag.length + 1);
};
