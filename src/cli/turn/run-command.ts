import type { ReleaseRecord } from '../../helm/record.ts';
import type { ReleaseFacts } from '../../rules/in-flight.ts';
import { highestDeployed } from '../../rules/in-flight.ts';
import { EXIT, Failure } from '../failure.ts';
import { newestIn } from '../releases/release-view.ts';
import { renewClaim } from './claim-renewal.ts';
import { CHART_SOURCE_FLAGS, GLOBAL_FLAGS, mergeTables } from './helm-flags.ts';
import { isNewer, readChart } from './only-newer.ts';
import { pickFlags } from './parse-command-line.ts';
import { readRefusals } from './refusals.ts';
import { type Ended, runProgram } from './run-program.ts';
import type { EarlyEnd, Session } from './session.ts';
import { settle } from './settle.ts';
import { showTimeout } from './words.ts';

/** How the command ended, or that it never ran. */
export type Outcome =
  | {
      readonly end: 'ran';
      readonly code: number;
      /** The first write was refused. */
      readonly isRefused: boolean;
      /** The newest revision of each release before the command ran, in the order of the locks. */
      readonly before: readonly (ReleaseRecord | undefined)[];
    }
  | EarlyEnd;

/** `--only-newer`. Undefined: there is something to do. */
const findNothingNew = async (session: Session, { records }: ReleaseFacts): Promise<string | undefined> => {
  const { command, helm, reader, env, signals } = session;
  const deployed = highestDeployed(records);
  if (!command.options.onlyNewer || reader === undefined || deployed === undefined || command.chart === undefined)
    return undefined;
  const flags = pickFlags(command, mergeTables(CHART_SOURCE_FLAGS, GLOBAL_FLAGS));
  const args = ['show', 'chart', command.chart, ...flags];
  const [{ code, stdout }, now] = await Promise.all([
    runProgram({ program: helm, args, env, output: 'captured', onStart: (child) => signals.passOnTo(child) }),
    reader.chartOf(deployed),
  ]);
  const chart = code === 0 ? readChart(stdout) : undefined;
  if (chart === undefined) throw new Failure(`the version of chart ${command.chart} could not be read`, EXIT.failed);
  if (isNewer(chart, now)) return undefined;
  return `chart ${chart.name} ${chart.version} is not newer than ${now.version}, which is deployed as revision ${deployed.revision} (--only-newer)`;
};

/** The newest revision of each release, as a text that can be compared. */
const traceOf = (all: readonly ReleaseFacts[]): string =>
  all
    .map(({ records }) => newestIn(records))
    .map((newest) => (newest === undefined ? '-' : `${newest.uid} ${newest.status}`))
    .join(', ');

/** Runs the command once and renews its claims. Ends the command when a lock is lost. */
const runOnce = async (session: Session, before: readonly ReleaseFacts[]): Promise<Ended> => {
  const { command, helm, api, hasBelay, locks, intervals, progress, signals, env, wallMs } = session;
  const [program = helm, ...rest] = command.kind === 'any' ? command.run : [helm, ...command.run];
  // Helm's stderr is read only if its messages matter. Otherwise Helm keeps the terminal.
  const isWatched = command.kind !== 'any' && session.reader !== undefined && (hasBelay || command.options.skipLocked);
  const stops = hasBelay
    ? locks.map(({ target }, index) => renewClaim(api, target, before[index]?.claim?.acquiredAtMs, wallMs, intervals))
    : [];
  const listening = new AbortController();
  try {
    return await runProgram({
      program,
      args: rest,
      env,
      output: isWatched ? 'watched' : 'terminal',
      onStart: (child) => {
        signals.passOnTo(child);
        for (const { lost, target } of locks) {
          const onLost = (): void => {
            progress.say(
              `release ${target.release} was taken by somebody else, because this was silent for too long: ending`,
            );
            child.kill('SIGTERM');
          };
          lost.addEventListener('abort', onLost, { signal: listening.signal });
          if (lost.aborted) onLost();
        }
      },
    });
  } finally {
    listening.abort();
    for (const stop of stops) stop();
  }
};

/** Runs the command when its releases are at rest. Waits again if somebody was faster and nothing was changed. */
export const runCommand = async (session: Session): Promise<Outcome> => {
  const { command, reader, locks, waitLimit, progress, signals, pause } = session;
  const { firstCommandRetryMs, lastCommandRetryMs } = session.intervals;
  for (let retryMs = firstCommandRetryMs; ; retryMs = Math.min(2 * retryMs, lastCommandRetryMs)) {
    const before: ReleaseFacts[] = [];
    for (const lock of reader === undefined ? [] : locks) {
      const settled = await settle(session, reader as NonNullable<typeof reader>, lock);
      if (settled.end !== undefined) return settled;
      before.push(settled.facts);
    }
    const [first] = before;
    const nothingNew = first === undefined ? undefined : await findNothingNew(session, first);
    if (signals.signal.aborted) return { end: 'signal' };
    if (nothingNew !== undefined) return { end: 'skipped', because: nothingNew };

    progress.clear();
    const { code, stderr } = await runOnce(session, before);
    const { isBusy, isLocked } = readRefusals(command.kind, stderr);
    const mayRetry = isBusy && !signals.signal.aborted && !waitLimit.isOver();
    const maySkip = isLocked && command.options.skipLocked;
    const ran: Outcome = {
      end: 'ran',
      code,
      isRefused: isBusy,
      before: before.map(({ records }) => newestIn(records)),
    };
    if (code === 0 || reader === undefined || !(mayRetry || maySkip)) return ran;
    if (maySkip) {
      const after = await Promise.all(locks.map(({ target }) => reader.facts(target)));
      if (traceOf(before) === traceOf(after))
        return { end: 'skipped', because: 'the release is locked, and nothing was changed (--skip-locked)' };
    }
    const [lock] = locks;
    if (!mayRetry || lock === undefined) return ran;
    progress.say('somebody was faster, and nothing was changed: waiting again');
    await waitLimit.during(() => pause(retryMs));
    if (waitLimit.isOver()) {
      throw new Failure(showTimeout(lock.target, waitLimit.timeoutMs, 'somebody was faster', false), EXIT.lockTimeout);
    }
  }
};
