import { type DestinationStream, type Logger, pino } from 'pino';
import { escapeText } from '../text/escape.ts';

/** How long a line may wait in memory for others to be written together with it. */
const FLUSH_EVERY_MS = 200;

/** Each write in the background wakes a thread, which costs as much as a hundred lines: write some hundred together. */
const FLUSH_AT_CHARACTERS = 32 * 1024;
const MAX_WRITE_BYTES = 64 * 1024;

/**
 * JSON lines on standard output unless told. Nothing here logs a payload on purpose; should an object get into a line after all, the
 * values of a Secret stay out of it. Lines are written together and in the background; what is left is flushed as the process exits.
 */
export const createLog = (to: DestinationStream = standardOutput(), level = 'info'): Logger => {
  const destination: DestinationStream = { write: (line) => to.write(isPlain(line) ? line : escapeLine(line)) };
  const timestamp = createTimestamp(Date.now);
  const log = pino(
    {
      level,
      base: null,
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['data', 'stringData', '*.data', '*.stringData'],
    },
    destination,
  );
  lineWriters.set(log, (fields) => destination.write(`{"level":"info"${timestamp()}${fields},"msg":"review"}\n`));
  return log;
};

/** Nearly every line: there is one for every review. */
const isPlain = (line: string): boolean => /^[ -~]*\n$/.test(line);

/**
 * JSON escapes line breaks and what else is below a space, and nothing beyond ASCII: a user's or an object's name may hold C1 controls, which
 * terminals obey, and what turns text around. Within a string of JSON \uXXXX is the very same character, so nothing is lost.
 */
const escapeLine = (line: string): string => `${escapeText(line.trimEnd(), Number.POSITIVE_INFINITY)}\n`;

/** Writes a line of level info. */
const lineWriters = new WeakMap<Logger, (fields: string) => void>();

/** What the log says of one review: a closed set of short texts, none of which can hold a payload. */
export interface Decision {
  readonly uid: string;
  readonly review: string;
  readonly operation: string;
  readonly object: string;
  /** Empty for none. */
  readonly subResource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: string;
  readonly allowed: boolean;
  /** Why it was allowed, or the code of its denial. */
  readonly reason: string;
  /** What would have denied it, had a policy not said otherwise. */
  readonly waived: readonly string[] | undefined;
  readonly ms: number;
}

/** The line of a decision, as pino would write it but for a third of the time: there is one for every review. */
export const createDecisionLog = (log: Logger): ((decision: Decision) => void) => {
  const write = lineWriters.get(log);
  if (write === undefined) throw new TypeError('decisions are written to a log that createLog made');
  return (decision) => {
    if (!log.isLevelEnabled('info')) return;
    const { subResource, allowed, waived } = decision;
    write(
      `,"uid":${quote(decision.uid)},"review":${quote(decision.review)},"operation":${quote(decision.operation)}` +
        `,"object":${quote(decision.object)}${subResource === '' ? '' : `,"subResource":${quote(subResource)}`}` +
        `,"namespace":${quote(decision.namespace)},"name":${quote(decision.name)},"user":${quote(decision.user)}` +
        `,"allowed":${allowed},"${allowed ? 'why' : 'code'}":${quote(decision.reason)}` +
        `${waived === undefined ? '' : `,"waived":${JSON.stringify(waived)}`},"ms":${decision.ms}`,
    );
  };
};

const quote = (text: string): string => JSON.stringify(text);

/** sonic-boom measures each line that it is given, which costs five times as much as making one: it gets them joined. */
const standardOutput = (): DestinationStream => {
  const output = pino.destination({ dest: 1, sync: false, maxWrite: MAX_WRITE_BYTES });
  let waiting = '';
  const flush = (): void => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') output.write(lines);
  };
  setInterval(flush, FLUSH_EVERY_MS).unref();
  process.on('beforeExit', flush);
  process.on('exit', () => {
    flush();
    output.flushSync();
  });
  return {
    write: (line) => {
      waiting += line;
      if (waiting.length >= FLUSH_AT_CHARACTERS) flush();
    },
  };
};

/** ISO 8601 in UTC. The calendar is worked out once a second: at thousands of lines a second it shows in the profile. */
const createTimestamp = (nowMs: () => number): (() => string) => {
  let second = Number.NaN;
  let prefix = '';
  return () => {
    const now = nowMs();
    const current = Math.floor(now / 1000);
    if (current !== second) {
      second = current;
      prefix = `,"time":"${new Date(current * 1000).toISOString().slice(0, 20)}`;
    }
    return `${prefix}${String(now % 1000).padStart(3, '0')}Z"`;
  };
};
