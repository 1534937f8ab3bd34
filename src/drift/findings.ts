import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import type { LeftWhen } from '../policy/left-paths.ts';
import type { FieldChange } from '../rules/verdict.ts';

/** Who wrote a field last, by `managedFields`: the name of a program. It does not prove who ran the program. */
export interface FieldWriter {
  readonly manager: string;
  /** Milliseconds since the epoch. Undefined where the entry has no time. */
  readonly atMs: number | undefined;
}

/** A field that is not as the chart has it. `before` is the chart's value, `after` is the live value. */
export interface DriftedField extends FieldChange {
  /** Undefined when nobody owns the field: the field is gone, or its entry in `managedFields` is. */
  readonly writer: FieldWriter | undefined;
}

/**
 * What is wrong with an object of the manifest. `unmarked`: an object of that name exists without the ownership marks of the release. Such an object
 * is neither compared nor changed.
 */
export type Problem = 'missing' | 'unmarked' | 'changed' | 'added';

/** `apply` as Helm 4 writes, `merge` as Helm 3 writes. Some documents, such as one with the same variable twice, can only be merged. */
export type Method = 'apply' | 'merge';

/** An object of the governing manifest that is not as the chart has it. */
export interface ObjectDrift {
  readonly object: ObjectRef;
  readonly apiVersion: string;
  /** The worst problem of the object. */
  readonly problem: Problem;
  /** Fields that the chart sets. */
  readonly changed: readonly DriftedField[];
  /** Fields that others have added to lists and maps of which the chart sets some entries. */
  readonly added: readonly DriftedField[];
  /** `helm.sh/resource-policy: keep`. */
  readonly keep: boolean;
  /** How the API server accepts the chart's document. Undefined when it could not be asked, and only the documents were compared. */
  readonly method: Method | undefined;
  /** The object as it is. Undefined when it is missing. */
  readonly live: KubernetesObject | undefined;
  /** The object as it would be with the chart's values. */
  readonly desired: KubernetesObject;
  /** The chart's document as Helm sends it. A repair applies it. */
  readonly document: KubernetesObject;
  /** What was left to others when it was looked at. */
  readonly left: LeftWhen;
  /** The name of Helm among the field managers of the object. */
  readonly manager: string;
}

/** An object that could not be looked at. */
export interface UncheckedObject {
  readonly object: ObjectRef;
  readonly why: 'forbidden' | 'unknown kind' | 'failed';
  /** For people; not escaped. */
  readonly detail: string;
}

/** Why a release was not looked at. */
export type Skipped =
  | 'no record'
  | 'operation in flight'
  | 'nothing deployed'
  | 'unreadable record'
  | 'namespace is terminating'
  | 'policy says Off';

export type ReleaseDrift =
  | { readonly checked: false; readonly release: ReleaseName; readonly why: Skipped }
  | {
      readonly checked: true;
      readonly release: ReleaseName;
      readonly governing: ReleaseRecord;
      /** `name-version`. */
      readonly chart: string;
      /** Where the objects live. */
      readonly namespace: string;
      /** How many objects the manifest lists. */
      readonly listed: number;
      readonly drifted: readonly ObjectDrift[];
      readonly unchecked: readonly UncheckedObject[];
    };

export type CheckedRelease = Extract<ReleaseDrift, { checked: true }>;

export const skip = (release: ReleaseName, why: Skipped): ReleaseDrift => ({ checked: false, release, why });
