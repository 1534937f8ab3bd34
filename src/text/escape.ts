/**
 * Makes text that a caller controls safe to show to a person. A terminal obeys escape sequences, hides ignorable characters and reorders
 * bidirectional text, so every such character is written as \uXXXX.
 */

/** Long enough for an image reference or a URL, and short enough for one line. */
const MAX_TEXT_CHARACTERS = 120;

const DECEIVING = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}|(?! )\p{Zs}/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const toEscape = (character: string): string =>
  SHORT[character] ??
  Array.from({ length: character.length }, (_, i) => character.charCodeAt(i).toString(16).padStart(4, '0'))
    .map((hex) => `\\u${hex}`)
    .join('');

/** At most `max` characters, never half of a surrogate pair. */
const cut = (text: string, max: number): { readonly kept: string; readonly more: string } => {
  if (text.length <= max) return { kept: text, more: '' };
  const end = /[\ud800-\udbff]/.test(text[max - 1] ?? '') ? max - 1 : max;
  return { kept: text.slice(0, end), more: '…' };
};

/** Running text, escaped and cut, without quotes. It is always one line. */
export const escapeText = (text: string, maxCharacters = 500): string => {
  const { kept, more } = cut(text, maxCharacters);
  return kept.replace(DECEIVING, toEscape) + more;
};

/** The text in quotes, as JSON writes it. The mark `…` for a cut stands outside the quotes, so that nobody takes it for content. */
export const quoteText = (text: string, maxCharacters = MAX_TEXT_CHARACTERS): string => {
  const { kept, more } = cut(text, maxCharacters);
  return `"${kept.replace(/["\\]/g, '\\$&').replace(DECEIVING, toEscape)}"${more}`;
};

/** A name: bare where it holds only usual characters, else in quotes. */
export const showName = (name: string): string =>
  /^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,252}$/.test(name) ? name : quoteText(name);

/** A field path such as `metadata.labels[app.kubernetes.io/name]`: bare where it holds only printable ASCII without spaces, else in quotes. */
export const showPath = (path: string): string => (/^[!-~]{1,253}$/.test(path) ? path : quoteText(path, 253));

/** A JSON value in at most `maxCharacters`. `undefined` stands for a field that is not set. */
export const showValue = (value: unknown, maxCharacters = MAX_TEXT_CHARACTERS): string => {
  if (value === undefined) return '(not set)';
  if (typeof value === 'string') return quoteText(value, maxCharacters);
  const { kept, more } = cut(toCompactJson(value, maxCharacters + 1), maxCharacters);
  return kept.replace(DECEIVING, toEscape) + more;
};

/** JSON.stringify that stops after `budget` characters: an object may be megabytes big, or nested deeper than the stack. */
const toCompactJson = (value: unknown, budget: number): string => {
  if (typeof value === 'string') {
    const { kept, more } = cut(value, budget);
    return JSON.stringify(kept) + more;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  let text = open;
  for (const key in value) {
    if (text.length > budget) return text;
    if (text.length > 1) text += ',';
    if (open === '{') text += `${toCompactJson(key, budget)}:`;
    text += toCompactJson((value as Record<string, unknown>)[key], budget - text.length);
  }
  return text + close;
};
