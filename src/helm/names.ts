export interface ReleaseName {
  readonly namespace: string;
  readonly name: string;
}

export type OperationKind = 'install' | 'upgrade' | 'rollback' | 'uninstall';

export type RecordKind = 'Secret' | 'ConfigMap';

export interface RecordRef {
  readonly kind: RecordKind;
  readonly namespace: string;
  readonly name: string;
}

export interface Chart {
  readonly name: string;
  readonly version: string;
}

/** Neither a namespace nor a release's name may hold a slash. */
export const keyOf = (release: ReleaseName): string => `${release.namespace}/${release.name}`;
