import { styleText } from 'node:util';

/** The text of a cell, and its colour on a terminal. The text is safe to show: its maker escapes text of others. */
export interface Cell {
  readonly text: string;
  readonly style?: Parameters<typeof styleText>[0];
}

/** Three spaces, as in the tables of kubectl. */
const GAP = '   ';

const widthOf = (text: string): number => [...text].length;

/** Adds colour if the stream is a terminal. NO_COLOR and FORCE_COLOR are heeded. */
const paint = ({ text, style }: Cell, stream: NodeJS.WriteStream): string =>
  style === undefined || text === '' ? text : styleText(style, text, { stream });

/** The lines of a table. `before` are the widths of a table on the screen that these lines continue. */
export const layOut = (
  rows: readonly (readonly Cell[])[],
  before: readonly number[] = [],
  stream: NodeJS.WriteStream = process.stdout,
): { readonly lines: readonly string[]; readonly widths: readonly number[] } => {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(before[column] ?? 0, ...rows.map((row) => widthOf(row[column]?.text ?? ''))),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const isLast = column === row.length - 1;
        const padding = isLast ? '' : ' '.repeat((widths[column] ?? 0) - widthOf(cell.text));
        return paint(cell, stream) + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
  return { lines, widths };
};
