/** One line of the table. */
export interface Line {
  readonly what: string;
  readonly measured: string;
  /** The figure to reach (docs/benchmarks.md#results), where there is one. */
  readonly figure?: string;
  readonly isReached?: boolean;
}

/** A line with a bound: `value` is at least or at most `bound`. */
export const compared = (
  what: string,
  value: number,
  [sign, bound]: readonly ['>=' | '<=', number],
  show: (value: number) => string,
  detail = '',
): Line => ({
  what,
  measured: `${show(value)}${detail && ` (${detail})`}`,
  figure: `${sign} ${show(bound)}`,
  isReached: sign === '>=' ? value >= bound : value <= bound,
});

export const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
export const times = (ratio: number): string => `${ratio.toFixed(2)} x`;
export const milliseconds = (ms: number): string => `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
export const seconds = (s: number): string => `${s.toFixed(3)} s`;
export const mebibytes = (mib: number): string => `${mib.toFixed(0)} MiB`;

export const toTable = (lines: readonly Line[]): string => {
  const rows = [
    ['what', 'measured', 'figure', ''],
    ...lines.map(({ what, measured, figure = '', isReached }) => [
      what,
      measured,
      figure,
      isReached === undefined ? '' : isReached ? 'ok' : 'missed',
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
