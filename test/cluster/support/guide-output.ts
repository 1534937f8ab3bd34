/** Whether a user sees what the guide shows, but for what is another thing each time. */

const RFC3339 = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const ANSI_C = /[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g;
const DURATION = /\b(\d+(ms|[smhdy]))+\b/g;
const UID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Times that a command names are told back as they are; all others, ages and the width of columns differ each time. */
const settle = (text: string, fixed: ReadonlySet<string>): string =>
  text
    .replaceAll(RFC3339, (time) => (fixed.has(time) ? time : '<time>'))
    .replaceAll(ANSI_C, '<time>')
    .replaceAll(UID, '<uid>')
    .replaceAll(DURATION, '<duration>')
    .replaceAll(/[ \t]+/g, ' ')
    .trimEnd();

const escapeRegExp = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

/** A line `...` stands for any lines, or none. */
const toPattern = (lines: readonly string[], fixed: ReadonlySet<string>): RegExp => {
  const parts = lines.map((line) =>
    line.trim() === '...' ? '(?:.*\\n)*?' : `${escapeRegExp(settle(line, fixed))}[ ]*\\n`,
  );
  return new RegExp(`^${parts.join('')}$`);
};

export const timesIn = (text: string): readonly string[] => text.match(RFC3339) ?? [];

export const isAsShown = (shown: readonly string[], seen: string, fixed: ReadonlySet<string>): boolean => {
  const lines = seen.trimEnd().split('\n');
  const settled = seen.trim() === '' ? '' : `${lines.map((line) => settle(line, fixed)).join('\n')}\n`;
  return toPattern(trimEnd(shown), fixed).test(settled);
};

/** Blank lines between two commands are for the eye. */
const trimEnd = (lines: readonly string[]): readonly string[] => {
  const end = lines.findLastIndex((line) => line.trim() !== '');
  return lines.slice(0, end + 1);
};

/** As a terminal ends a command that failed. */
export const tellsOfFailure = (shown: readonly string[]): boolean =>
  shown.some((line) => /^(Error|error)\b/.test(line));
