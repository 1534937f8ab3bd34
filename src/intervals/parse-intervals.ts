import { z } from 'zod';
import { findBrokenRelations } from './check-intervals.ts';
import { DEFAULT_INTERVALS, type Intervals } from './intervals.ts';

/** A day: a longer one is a mistake of the unit. */
const MAX_MS = 86_400_000;

const milliseconds = z.number().int().min(1).max(MAX_MS).optional();

const groupOf = (shipped: object) =>
  z.strictObject(Object.fromEntries(Object.keys(shipped).map((key) => [key, milliseconds]))).optional();

const SCHEMA = z.strictObject(
  Object.fromEntries(Object.entries(DEFAULT_INTERVALS).map(([name, shipped]) => [name, groupOf(shipped)])),
);

/**
 * Reads intervals as JSON, such as `{"lock":{"silenceMs":8000}}`. What is left out is as shipped. Throws an Error that says what is wrong: not
 * JSON, an unknown name, no whole number of milliseconds, or intervals that do not go together.
 */
export const parseIntervals = (text: string): Intervals => {
  const read = SCHEMA.safeParse(JSON.parse(text));
  if (!read.success) {
    throw new Error(read.error.issues.map(({ path, message }) => [path.join('.'), message].join(': ')).join('; '));
  }
  const given: Readonly<Record<string, object | undefined>> = read.data;
  const intervals = Object.fromEntries(
    Object.entries(DEFAULT_INTERVALS).map(([name, shipped]) => [name, { ...shipped, ...given[name] }]),
  ) as unknown as Intervals;
  const broken = findBrokenRelations(intervals);
  if (broken.length > 0) throw new Error(broken.join('; '));
  return intervals;
};
