/** Whether a user sees what the guide shows, but for what is another thing each time. */

const RFC3339 = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const ANSI_C = /[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g;
const DURATION = /\b(\d+(ms|[smhdy]))+\b/g;
const ADDRESS = /\b\d+(\.\d+){3}:\d+\b/g;
/** The head of a warning as Helm 4 logs it: when, by which process, in which line of its source. */
const LOG_HEAD = /^[A-Z]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\]/;
const UID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Times that a command names are told back as they are; all others, ages and the width of columns differ each time. */
const settle = (text: string, fixed: ReadonlySet<string>): string =>
  text
    .replaceAll(RFC3339, (time) => (fixed.has(time) ? time : '<time>'))
    .replaceAll(ANSI_C, '<time>')
    .replace(LOG_HEAD, '<log>')
    .replaceAll(ADDRESS, '<address>')
    .replaceAll(UID, '<uid>')
    .replaceAll(DURATION, '<duration>')
    .replaceAll(/[ \t]+/g, ' ')
    .trimEnd();

const escapeRegExp = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

/** A line `...` stands for any lines, or none. */
const toPattern = (lines: readonly string[]): RegExp =>
  new RegExp(`^${lines.map((line) => (line.trim() === '...' ? '(?:.*\\n)*?' : `${escapeRegExp(line)}\\n`)).join('')}$`);

export const timesIn = (text: string): readonly string[] => text.match(RFC3339) ?? [];

/** `ordered`: whether the order of the lines counts; Events of one second come in any. */
export const isAsShown = (
  shown: readonly string[],
  seen: string,
  { fixed, ordered }: { readonly fixed: ReadonlySet<string>; readonly ordered: boolean },
): boolean => {
  const arrange = (lines: readonly string[]): readonly string[] => (ordered ? lines : lines.toSorted());
  const settled = arrange(linesOf(seen).map((line) => settle(line, fixed)));
  const wanted = arrange(trimEnd(shown).map((line) => settle(line, fixed)));
  return toPattern(wanted).test(settled.map((line) => `${line}\n`).join(''));
};

const linesOf = (text: string): readonly string[] => (text.trim() === '' ? [] : text.trimEnd().split('\n'));

/** Blank lines between two commands are for the eye. */
const trimEnd = (lines: readonly string[]): readonly string[] => {
  const end = lines.findLastIndex((line) => line.trim() !== '');
  return lines.slice(0, end + 1);
};

/** As helm and kubectl end when they fail; a command that shows its exit code has caught it. */
export const tellsOfFailure = (shown: readonly string[]): boolean =>
  shown.some((line) => /^(Error|error)\b/.test(line)) && !shown.some((line) => line.startsWith('exit code '));
