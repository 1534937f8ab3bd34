import type { Logger } from 'pino';
import type { Events } from '../events/events.ts';
import { showName } from '../text/escape.ts';
import { showReason } from './describe-drift.ts';
import { driftDetected, driftResolved } from './drift-events.ts';
import type { CheckedRelease, UncheckedObject } from './findings.ts';
import type { KnownDrift } from './known-drift.ts';
import type { SweepCounter } from './sweep-stats.ts';

export interface TellDriftDependencies {
  readonly known: KnownDrift;
  readonly stats: Pick<SweepCounter, 'countUnchecked'>;
  readonly events: Pick<Events, 'note'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** How many kinds that cannot be looked at are remembered. Each is logged once. There is a bound because a manifest may name any kind. */
const MAX_TOLD_KINDS = 100;

/** Tells of what the sweep has found at one release: by Events, in the log and in the counts. Drift that was told before is not told again. */
export const createDriftTeller = ({
  known,
  stats,
  events,
  log,
  nowMs,
}: TellDriftDependencies): ((checked: CheckedRelease) => void) => {
  const toldKinds = new Set<string>();

  const tellUnchecked = ({ object, why, detail }: UncheckedObject): void => {
    stats.countUnchecked(why);
    const key = `${why} ${object.group}/${object.kind}`;
    if (why === 'failed' || toldKinds.has(key) || toldKinds.size >= MAX_TOLD_KINDS) return;
    toldKinds.add(key);
    log.warn(
      { why, kind: showName(object.kind), detail: showReason(detail) },
      'the sweep cannot look at objects of a kind',
    );
  };

  return (checked) => {
    const { release, drifted, unchecked } = checked;
    for (const object of unchecked) tellUnchecked(object);
    if (drifted.length === 0) {
      if (known.forget(release)) events.note(driftResolved(checked));
      return;
    }
    const news = known.note(release, drifted, nowMs());
    for (const event of driftDetected(checked, news)) events.note(event);
    if (news.length > 0) {
      const { namespace, name } = release;
      log.info({ namespace, release: name, objects: drifted.length, new: news.length }, 'drift');
    }
  };
};
