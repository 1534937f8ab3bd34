import type { EventToNote, Regarding } from '../events/event-object.ts';
import { type EventReason, typeOf } from '../events/event-reasons.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import { showName } from '../text/escape.ts';
import { describeObject, showObject, showReason } from './describe-drift.ts';
import type { CheckedRelease, ObjectDrift } from './findings.ts';

const regardingRecord = ({ kind, namespace, name, uid }: ReleaseRecord): Regarding => ({
  apiVersion: 'v1',
  kind,
  namespace,
  name,
  uid,
});

/** The object itself. Empty where the object is missing, or may belong to somebody else. */
const regardingObject = ({ object, apiVersion, live, problem }: ObjectDrift): readonly Regarding[] => {
  const uid = live?.metadata?.uid;
  if (uid === undefined || problem === 'unmarked') return [];
  return [{ apiVersion, kind: object.kind, namespace: object.namespace, name: object.name, uid }];
};

const event = (
  reason: EventReason,
  { release }: CheckedRelease,
  message: string,
  regarding: readonly Regarding[],
): EventToNote => ({ reason, type: typeOf(reason), message, release, regarding, action: 'Sweep' });

const showRevision = ({ governing, chart }: CheckedRelease): string =>
  `revision ${governing.revision} of release ${showName(governing.release)}, chart ${showName(chart)}`;

/** An Event about each drifted object, and one about the record, with the first object and the number of them. */
export const driftDetected = (checked: CheckedRelease, drifted: readonly ObjectDrift[]): readonly EventToNote[] => {
  const [first] = drifted;
  if (first === undefined) return [];
  const tell = (drift: ObjectDrift): string =>
    `${showObject(drift.object)} of ${showRevision(checked)} ${describeObject(drift)}`;
  const others = checked.drifted.length - 1;
  const summary = others > 0 ? `${others + 1} objects have drifted. ` : '';
  return [
    event('DriftDetected', checked, `${summary}${tell(first)}`, [regardingRecord(checked.governing)]),
    ...drifted.flatMap((drift) => {
      const regarding = regardingObject(drift);
      return regarding.length === 0 ? [] : event('DriftDetected', checked, tell(drift), regarding);
    }),
  ];
};

export const driftResolved = (checked: CheckedRelease): EventToNote =>
  event('DriftResolved', checked, `Every object is as ${showRevision(checked)} has it`, [
    regardingRecord(checked.governing),
  ]);

export const driftRepaired = (checked: CheckedRelease, drift: ObjectDrift, done: string): EventToNote =>
  event(
    'DriftRepaired',
    checked,
    `${showObject(drift.object)} was ${done} by ${showRevision(checked)}. Before, it ${describeObject(drift)}`,
    [regardingRecord(checked.governing), ...regardingObject(drift)],
  );

export const driftRepairFailed = (checked: CheckedRelease, drift: ObjectDrift, why: string): EventToNote =>
  event(
    'DriftRepairFailed',
    checked,
    `${showObject(drift.object)} was not repaired: ${showReason(why)}. It ${describeObject(drift)}`,
    [regardingRecord(checked.governing), ...regardingObject(drift)],
  );
