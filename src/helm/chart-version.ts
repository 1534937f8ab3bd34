/** A chart's version as Helm reads it (Masterminds/semver v3, `NewVersion`). It may begin with `v`, and numbers may be missing. */
export interface ChartVersion {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  /** Without the `-`; empty for a release. */
  readonly prerelease: string;
  /** Without the `+`; empty for a version that names no build. */
  readonly build: string;
}

/** Longest version that Masterminds/semver reads (`MaxVersionLen`). */
const MAX_VERSION_LENGTH = 256;

/** Largest number that `strconv.ParseUint` reads in 64 bits. */
const MAX_UINT64 = 2n ** 64n - 1n;

// The pattern matches a text in one way only, so its time is proportional to the length.
const VERSION =
  /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

const isNumber = (text: string): boolean => /^\d+$/.test(text);

const toNumber = (digits = '0'): bigint | undefined => {
  const number = BigInt(digits);
  return number <= MAX_UINT64 ? number : undefined;
};

const startsWithZero = (part: string): boolean => isNumber(part) && part.length > 1 && part.startsWith('0');

/** Reads a version; undefined when Helm cannot read it. */
export const parseVersion = (text: string): ChartVersion | undefined => {
  if (text.length > MAX_VERSION_LENGTH) return undefined;
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, majorText, minorText, patchText, prerelease = '', build = ''] = match;
  const [major, minor, patch] = [toNumber(majorText), toNumber(minorText), toNumber(patchText)];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  if (prerelease.split('.').some(startsWithZero)) return undefined;
  return { major, minor, patch, prerelease, build };
};

const compareNumbers = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** Compares two parts of pre-releases. A number is below a word, and a number of more than 64 bits counts as a word, as in Helm. */
const comparePart = (a: string, b: string): number => {
  if (a === b) return 0;
  if (a === '' || b === '') return a === '' ? -1 : 1;
  const [numberA, numberB] = [isNumber(a) ? toNumber(a) : undefined, isNumber(b) ? toNumber(b) : undefined];
  if (numberA !== undefined && numberB !== undefined) return compareNumbers(numberA, numberB);
  if (numberA === undefined && numberB === undefined) return a > b ? 1 : -1;
  return numberA === undefined ? 1 : -1;
};

/** Compares two pre-releases part by part, as Helm does. A missing part is below any other part. */
export const comparePrereleases = (a: string, b: string): number => {
  const [partsA, partsB] = [a.split('.'), b.split('.')];
  for (let index = 0; index < Math.max(partsA.length, partsB.length); index += 1) {
    const order = comparePart(partsA[index] ?? '', partsB[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
};

/** Below zero when `a` is lower than `b`, above zero when it is higher. Builds do not count, as SemVer says. */
export const compareVersions = (a: ChartVersion, b: ChartVersion): number => {
  const order =
    compareNumbers(a.major, b.major) || compareNumbers(a.minor, b.minor) || compareNumbers(a.patch, b.patch);
  if (order !== 0 || a.prerelease === b.prerelease) return order;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  return comparePrereleases(a.prerelease, b.prerelease);
};
