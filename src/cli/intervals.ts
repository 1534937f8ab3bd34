import { DEFAULT_INTERVALS, type Intervals } from '../intervals/intervals.ts';
import { EXIT, Failure } from './failure.ts';

/** Shortens the waits of Belay's own tests. It is not an option for users (CONTRIBUTING.md, "The harness"). */
export const INTERVALS_VARIABLE = 'BELAY_INTERVALS';

/** The intervals of this process. Throws a Failure when the variable cannot be read. */
export const readIntervals = async (env: NodeJS.ProcessEnv): Promise<Intervals> => {
  const text = env[INTERVALS_VARIABLE];
  if (text === undefined || text === '') return DEFAULT_INTERVALS;
  const { parseIntervals } = await import('../intervals/parse-intervals.ts');
  try {
    return parseIntervals(text);
  } catch (error) {
    throw new Failure(`${INTERVALS_VARIABLE}: ${(error as Error).message}`, EXIT.usage, error);
  }
};

/** The intervals that differ from the shipped ones: `lock.silenceMs=8000`. */
export const differingIntervals = (intervals: Intervals): readonly string[] =>
  Object.entries(DEFAULT_INTERVALS).flatMap(([name, shipped]) => {
    const group: Readonly<Record<string, number>> = intervals[name as keyof Intervals];
    const known: Readonly<Record<string, number>> = shipped;
    return Object.entries(group).flatMap(([key, ms]) => (known[key] === ms ? [] : [`${name}.${key}=${ms}`]));
  });
