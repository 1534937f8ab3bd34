/** Escapes bars: a bar would end the cell of a table, also inside code. */
const toCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');

export const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [headings, headings.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(toCell).join(' | ')} |`.replaceAll(/\|\s+(?=\|)/g, '| '))
    .join('\n');

/** Escapes plain text from the source, in which a star is only a star. */
export const prose = (text: string): string => text.replaceAll('*', '\\*');

export const code = (text: string): string => `\`${text}\``;

export const codes = (texts: readonly string[], between = ', '): string => texts.map(code).join(between);

export const section = (title: string, ...parts: readonly string[]): string => [`## ${title}`, ...parts].join('\n\n');

export const subsection = (title: string, ...parts: readonly string[]): string =>
  [`### ${title}`, ...parts].join('\n\n');
