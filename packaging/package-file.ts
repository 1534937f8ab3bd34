/** A file of a package. */
export interface PackageFile {
  /** The path in the package, with `/`. */
  readonly path: string;
  readonly contents: string | Uint8Array;
  readonly executable?: boolean;
}
