// No npm library reads this dialect: `semver` in its loose mode drops what it does not know, and knows neither `!=` nor `=>`.
import { type ChartVersion, comparePrereleases, compareVersions, parseVersion } from './chart-version.ts';

/**
 * A range of chart versions in Helm's own dialect. Helm reads `--version` and the `dependencies` of a chart with Masterminds/semver v3
 * (constraints.go). test/unit/helm/chart-range.test.ts compares this file with a table that a Go program made with that library.
 *
 * Belay differs from Helm in two cases, because a lock must not be weaker than it looks:
 * - Belay refuses a number after an x (`1.x.5`). Helm ignores the number.
 * - `1.4.0+b1`, `=1.4.0+b1` and `!=1.4.0+b1` name one build. Helm does not distinguish the builds of a version.
 */
export interface ChartRange {
  /** Whether a version is inside the range. */
  includes(version: ChartVersion): boolean;
}

type Operator = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^';

interface Constraint {
  readonly operator: Operator;
  /** The version of the constraint, in which a missing number or an x is 0. */
  readonly version: ChartVersion;
  /** How many of its numbers were written: 0 for `*`, 1 for `1` or `1.x`, 2 for `1.2` or `1.2.x`, 3 for `1.2.3`. */
  readonly given: 0 | 1 | 2 | 3;
}

/** Longest range that is read. A pin is an annotation, which may hold 256 KiB. */
export const MAX_RANGE_LENGTH = 256;

/** Most alternatives of a range that Helm reads (`MaxConstraintGroups`). */
const MAX_ALTERNATIVES = 32;

const OPERATORS: Readonly<Record<string, Operator>> = {
  '': '=',
  '=': '=',
  '!=': '!=',
  '>': '>',
  '<': '<',
  '>=': '>=',
  '=>': '>=',
  '<=': '<=',
  '=<': '<=',
  '~': '~',
  '~>': '~',
  '^': '^',
};

// Each pattern matches a text in one way only, so its time is proportional to the length. The spaces are those of Go's `\s`.
const VERSION =
  /v?(?:\d+|[xX*])(?:\.(?:\d+|[xX*])){0,2}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?/y;
const OPERATOR = /[=!<>~^]{0,2}/y;
const SPACE = /[\t\n\f\r ]*/y;
const HYPHEN = /[\t\n\f\r ]+-[\t\n\f\r ]+/y;
const SEPARATOR = /[\t\n\f\r ]*(?:,[\t\n\f\r ]*)?/y;

const PARTS = /^v?([^.+-]+)(?:\.([^.+-]+))?(?:\.([^.+-]+))?(-[^+]*)?(\+.*)?$/;

const isWild = (part: string | undefined): boolean => part === undefined || /^[xX*]$/.test(part);

const toConstraint = (operatorText: string, versionText: string): Constraint | undefined => {
  const operator = OPERATORS[operatorText];
  const [, major, minor, patch, prerelease = '', build = ''] = PARTS.exec(versionText) ?? [];
  if (operator === undefined || major === undefined) return undefined;
  const parts = [major, minor, patch];
  const firstWild = parts.findIndex(isWild);
  const given = (firstWild < 0 ? 3 : firstWild) as Constraint['given'];
  if (parts.slice(given).some((part) => !isWild(part))) return undefined;
  const numbers = [...parts.slice(0, given), '0', '0', '0'].slice(0, 3).join('.');
  const version = parseVersion(`${numbers}${prerelease}${build}`);
  return version === undefined ? undefined : { operator, version, given };
};

/** Reads a text from left to right, one pattern at a time. */
const createReader = (text: string) => {
  let at = 0;
  return {
    isAtEnd: () => at === text.length,
    /** Reads the text that the pattern matches here, which may be empty. Undefined where it does not match: then nothing is read. */
    take: (pattern: RegExp): string | undefined => {
      pattern.lastIndex = at;
      const match = pattern.exec(text)?.[0];
      if (match !== undefined) at += match.length;
      return match;
    },
  };
};

/** Reads one alternative: constraints that all have to hold. Undefined where a part of it cannot be read. */
const parseAlternative = (text: string): readonly Constraint[] | undefined => {
  const reader = createReader(text);
  const constraints: (Constraint | undefined)[] = [];
  let separator = '';
  reader.take(SPACE);
  while (!reader.isAtEnd()) {
    const operator = reader.take(OPERATOR) ?? '';
    reader.take(SPACE);
    const version = reader.take(VERSION);
    if (version === undefined) return undefined;
    const isSpan = reader.take(HYPHEN) !== undefined;
    if (isSpan) {
      // The span `1.2 - 1.4` means `>=1.2, <=1.4`. Helm reads a span only at the beginning, after a comma, or after another span.
      const end = reader.take(VERSION);
      if (operator !== '' || separator === ' ' || end === undefined) return undefined;
      constraints.push(toConstraint('>=', version), toConstraint('<=', end));
    } else constraints.push(toConstraint(operator, version));
    const written = reader.take(SEPARATOR) ?? '';
    if (reader.isAtEnd() ? written.includes(',') : written === '') return undefined;
    separator = written.includes(',') || isSpan ? ',' : ' ';
  }
  const read = constraints.filter((constraint) => constraint !== undefined);
  return read.length === 0 || read.length < constraints.length ? undefined : read;
};

const isSameBuild = (named: ChartVersion, version: ChartVersion): boolean =>
  named.build === '' || named.build === version.build;

const isSameMinor = (a: ChartVersion, b: ChartVersion): boolean => a.major === b.major && a.minor === b.minor;

const isInTilde = ({ version: low, given }: Constraint, version: ChartVersion): boolean => {
  if (compareVersions(version, low) < 0) return false;
  // Helm reads `~0.0.0` and `*` as any version.
  if (low.major === 0n && low.minor === 0n && low.patch === 0n && given !== 1 && given !== 2) return true;
  return low.major === version.major && (given === 1 || low.minor === version.minor);
};

const isInCaret = ({ version: low, given }: Constraint, version: ChartVersion): boolean => {
  if (compareVersions(version, low) < 0) return false;
  if (low.major > 0n || given === 1) return low.major === version.major;
  if (version.major > 0n) return false;
  if (low.minor > 0n || given === 2) return low.minor === version.minor;
  return version.minor === 0n && low.patch === version.patch;
};

const isAbove = ({ version: low, given }: Constraint, version: ChartVersion): boolean => {
  if (given === 0 || given === 3) return compareVersions(version, low) > 0;
  // `>11` begins at 12, and `>11.1` begins at 11.2.
  return version.major > low.major || (given === 2 && version.major === low.major && version.minor > low.minor);
};

const isAtMost = ({ version: high, given }: Constraint, version: ChartVersion): boolean => {
  if (given === 3) return compareVersions(version, high) <= 0;
  if (version.major !== high.major) return version.major < high.major;
  return given === 1 || version.minor <= high.minor;
};

const isOther = (constraint: Constraint, version: ChartVersion): boolean => {
  const { version: named, given } = constraint;
  if (given === 0 || given === 3) return compareVersions(version, named) !== 0 || !isSameBuild(named, version);
  if (given === 2)
    return !isSameMinor(named, version) || comparePrereleases(version.prerelease, named.prerelease) !== 0;
  return named.major !== version.major;
};

const isInside = (constraint: Constraint, version: ChartVersion): boolean => {
  const { operator, version: bound, given } = constraint;
  switch (operator) {
    case '=':
      if (given < 3) return isInTilde(constraint, version);
      return compareVersions(version, bound) === 0 && isSameBuild(bound, version);
    case '!=':
      return isOther(constraint, version);
    case '>':
      return isAbove(constraint, version);
    case '<':
      return compareVersions(version, bound) < 0;
    case '>=':
      return compareVersions(version, bound) >= 0;
    case '<=':
      return isAtMost(constraint, version);
    case '~':
      return isInTilde(constraint, version);
    case '^':
      return isInCaret(constraint, version);
  }
};

/**
 * Reads a range: `1.4.2`, `1.4.x`, `>=1.2, !=1.5.0`, `1.2 - 1.4`, `^1.2 || ~2.1`. Undefined when any part of it cannot be read, because a
 * range without that part would allow more. A pre-release is inside only where the alternative names one (`>=1.2.0-0`).
 */
export const parseRange = (range: string): ChartRange | undefined => {
  if (range.length > MAX_RANGE_LENGTH) return undefined;
  const texts = range.split('||');
  if (texts.length > MAX_ALTERNATIVES) return undefined;
  const alternatives: (readonly Constraint[])[] = [];
  for (const text of texts) {
    const constraints = parseAlternative(text);
    if (constraints === undefined) return undefined;
    alternatives.push(constraints);
  }
  return {
    includes: (version) =>
      alternatives.some((constraints) => {
        const takesPrereleases = constraints.some(({ version: bound }) => bound.prerelease !== '');
        if (version.prerelease !== '' && !takesPrereleases) return false;
        return constraints.every((constraint) => isInside(constraint, version));
      }),
  };
};
