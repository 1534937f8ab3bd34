import { styleText } from 'node:util';

/** A cell: what it says, and in which colour on a terminal. Safe to show: whoever makes it escapes what others wrote. */
export interface Cell {
  readonly text: string;
  readonly style?: Parameters<typeof styleText>[0];
}

/** Three spaces, as kubectl puts between columns. */
const GAP = '   ';

const widthOf = (text: string): number => [...text].length;

/** Colour where the stream is a terminal that wants it: NO_COLOR, FORCE_COLOR and a pipe are heeded. */
const paint = ({ text, style }: Cell, stream: NodeJS.WriteStream): string =>
  style === undefined || text === '' ? text : styleText(style, text, { stream });

/** Lines of a table; pass the widths of before to go on with one that is already on the screen. */
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
