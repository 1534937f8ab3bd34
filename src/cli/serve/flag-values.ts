import { InvalidArgumentError } from 'commander';
import { MIN_LEAF_MS } from '../../certificates/lifetimes.ts';
import { parseDuration } from '../../text/duration.ts';

/** How the values of flags are read. Each throws the error that commander shows beside the flag. */

export const duration = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Write a duration such as 90s, 10m or 1h30m.');
  return ms;
};

export const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('Write a port from 1 to 65535.');
  return value;
};

export const seconds = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('Write a number of seconds.');
  return value;
};

/** Shortest `--stale-after`. Helm writes no record while it writes an object, which may take seconds. */
const MIN_STALE_AFTER_MS = 5_000;

export const staleAfter = (text: string): number => {
  const ms = duration(text);
  if (ms < MIN_STALE_AFTER_MS) throw new InvalidArgumentError('Less than 5s would call living operations dead.');
  return ms;
};

export const certificateLifetime = (text: string): number => {
  const ms = duration(text);
  if (ms < MIN_LEAF_MS) throw new InvalidArgumentError('Less than 1m leaves no time to renew it.');
  return ms;
};

/** The name of a Secret is a DNS subdomain. */
export const secretName = (text: string): string => {
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('Write the name of a Secret.');
};
