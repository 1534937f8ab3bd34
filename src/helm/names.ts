/** A release, by its namespace and name. */
export interface ReleaseName {
  readonly namespace: string;
  readonly name: string;
}

/** One text for each release. Neither a namespace nor a release's name may hold a slash. */
export const keyOf = (release: ReleaseName): string => `${release.namespace}/${release.name}`;

/** The kinds of objects in which Helm stores its records. */
export type RecordKind = 'Secret' | 'ConfigMap';

/** The object that stores one revision of a release. */
export interface RecordRef {
  readonly kind: RecordKind;
  readonly namespace: string;
  readonly name: string;
}

/** What a run of Helm does to a release. */
export type OperationKind = 'install' | 'upgrade' | 'rollback' | 'uninstall';

/** A chart, as its Chart.yaml names it. */
export interface Chart {
  readonly name: string;
  readonly version: string;
}
