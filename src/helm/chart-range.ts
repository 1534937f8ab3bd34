import semver from 'semver';

/** As Helm reads versions (Masterminds/semver): a leading `v` and missing minor or patch numbers are forgiven. */
export const parseVersion = (version: string): semver.SemVer | undefined => {
  const exact = semver.parse(version, { loose: true });
  if (exact !== null) return exact;
  const short = /^v?(\d{1,9})(?:\.(\d{1,9}))?$/.exec(version);
  return short === null ? undefined : (semver.parse(`${short[1]}.${short[2] ?? 0}.0`) ?? undefined);
};

/** Longest range that is read: an annotation may hold 256 KiB, for which semver holds up everything else for tenths of a second. */
export const MAX_RANGE_LENGTH = 256;

/** A range as Helm reads it: comma or space for "and", `||` for "or". Undefined when it cannot be read. */
export const parseRange = (range: string): semver.Range | undefined => {
  if (range.length > MAX_RANGE_LENGTH) return undefined;
  if (range.trim() === '') return undefined; // to semver that means any version, to a person a mistake
  try {
    return new semver.Range(range.replaceAll(',', ' '), { loose: true });
  } catch {
    return undefined;
  }
};
