/** Interleaves what is compared in short segments: whole runs drift by more than the effect that is looked for. */
export const interleave = async <Side extends string, Result>(
  sides: readonly Side[],
  { forMs, minCycles, maxCycles }: { readonly forMs: number; readonly minCycles: number; readonly maxCycles: number },
  run: (side: Side) => Promise<Result>,
): Promise<readonly Record<Side, Result>[]> => {
  const cycles: Record<Side, Result>[] = [];
  const endMs = performance.now() + forMs;
  while (cycles.length < maxCycles && (cycles.length < minCycles || performance.now() < endMs)) {
    // Each side comes first in turn, so that none profits from what the others leave behind.
    const first = cycles.length % sides.length;
    const cycle = {} as Record<Side, Result>;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) cycle[side] = await run(side);
    cycles.push(cycle);
  }
  return cycles;
};

/** The nearest rank: a value that was measured. */
export const quantile = (values: readonly number[], q: number): number => {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);
