import { type DestinationStream, type Logger, pino } from 'pino';
import { escapeText } from '../text/escape.ts';

/** How long a line may wait in memory, so that lines are written together. */
const FLUSH_EVERY_MS = 200;

/** Each write wakes a thread, which costs as much as making a hundred lines. So some hundred lines are written together. */
const FLUSH_AT_CHARACTERS = 32 * 1024;
const MAX_WRITE_BYTES = 64 * 1024;

/**
 * A log of JSON lines; default: on standard output. Belay logs no payload on purpose. Should an object get into a line after all, the values of a
 * Secret stay out of it. Lines are written together and in the background. The last ones are written as the process exits.
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

/** Whether a line needs no escaping. Nearly every line does not, and there is a line for every review. */
const isPlain = (line: string): boolean => /^[ -~]*\n$/.test(line);

/**
 * JSON escapes line breaks and other characters below a space, but none beyond ASCII. The name of a user or an object may hold C1 controls, which
 * terminals obey, and characters that turn the direction of text. In a string of JSON, \uXXXX is the same character, so nothing is lost.
 */
const escapeLine = (line: string): string => `${escapeText(line.trimEnd(), Number.POSITIVE_INFINITY)}\n`;

/** Writes a line of level info. */
const lineWriters = new WeakMap<Logger, (fields: string) => void>();

/** What the log says about one review: a closed set of short texts. None of them can hold a payload. */
export interface Decision {
  readonly uid: string;
  readonly review: string;
  readonly operation: string;
  readonly object: string;
  /** Empty where there is none. */
  readonly subResource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: string;
  readonly allowed: boolean;
  /** Why the review was allowed, or the code of its denial. */
  readonly reason: string;
  /** Codes of denials that the policy does not enforce. */
  readonly waived: readonly string[] | undefined;
  readonly ms: number;
}

/** Writes the line of a decision as pino would write it, in a third of the time: there is a line for every review. */
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

/** sonic-boom measures each text that it is given, which costs five times as much as making a line. So it gets many lines as one text. */
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

/** ISO 8601 in UTC. The date is formatted once a second: at thousands of lines a second, formatting shows in the profile. */
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
