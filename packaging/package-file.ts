/** A file of a package. */
export interface PackageFile {
  /** From the package's directory on, by `/`. */
  readonly path: string;
  readonly contents: string | Uint8Array;
  readonly executable?: boolean;
}
