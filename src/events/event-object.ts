import { createHash } from 'node:crypto';
import type { ReleaseName } from '../helm/names.ts';
import { escapeText } from '../text/escape.ts';

/** An object that an Event is about. Without its uid `kubectl describe` does not find the Event; `kubectl events --for` does. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for what is cluster-scoped. */
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Something worth an Event on each of the objects it is about. */
export interface EventToNote {
  readonly reason: string;
  readonly type: 'Normal' | 'Warning';
  readonly message: string;
  readonly release: ReleaseName;
  readonly regarding: readonly Regarding[];
  /** What was attempted, in CamelCase. */
  readonly action: string;
}

/** One Event that is to be written. */
export interface EventToWrite extends Omit<EventToNote, 'regarding'> {
  readonly regarding: Regarding;
  /** How many occurrences it stands for. */
  readonly times: number;
}

const COMPONENT = 'belay';

/**
 * What the API server holds a note of events.k8s.io/v1 to (NoteLengthLimit in pkg/apis/core/validation/events.go); in core/v1 only
 * the reader's patience does.
 */
const MAX_MESSAGE_BYTES = 1024;

/** reportingInstance: ReportingInstanceLengthLimit of the same file. */
const MAX_INSTANCE_CHARACTERS = 128;

/** Of sha256: two among a million Events share a name with a chance of 3 in 10^8. */
const HASH_CHARACTERS = 16;

const MAX_NAME_CHARACTERS = 253;

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** As client-go does it: Events are namespaced, and those of cluster-scoped objects are kept in `default`. */
export const eventNamespace = ({ namespace }: Regarding): string => (namespace === '' ? 'default' : namespace);

/** One line of text, escaped, within the bound. */
export const toMessage = (text: string): string => {
  const escaped = escapeText(text, MAX_MESSAGE_BYTES);
  const bytes = Buffer.from(escaped);
  if (bytes.length <= MAX_MESSAGE_BYTES) return escaped;
  const ellipsis = '…';
  let end = MAX_MESSAGE_BYTES - Buffer.byteLength(ellipsis);
  // Never in the middle of a character: those bytes begin with 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + ellipsis;
};

/**
 * The same for the same thing on every replica, so that they find each other's Events. With the uid, because an object that was
 * made anew has a story of its own.
 */
export const eventName = ({
  reason,
  release,
  regarding,
}: Pick<EventToWrite, 'reason' | 'release' | 'regarding'>): string => {
  const { apiVersion, kind, namespace, name, uid = '' } = regarding;
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  const identity = JSON.stringify([reason, release.namespace, release.name, group, kind, namespace, name, uid]);
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, HASH_CHARACTERS);
  // Names of RBAC objects may hold colons, which those of Events may not.
  const fits = DNS_SUBDOMAIN.test(name) && name.length + 1 + hash.length <= MAX_NAME_CHARACTERS;
  return `${fits ? name : COMPONENT}.${hash}`;
};

/** metav1.Time counts seconds. */
const toTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/**
 * An Event of core/v1 with firstTimestamp, lastTimestamp and count, as client-go's tools/record makes them and nearly every controller
 * does, rather than one of events.k8s.io/v1 (tools/events): there the API server refuses any change of the note and wants
 * lastTimestamp unset, so that a series would tell its first story forever and `kubectl get events --sort-by=.lastTimestamp` would
 * sort it before all others. `kubectl events`, `get events` and `describe` show "(x3 over 5m)" of either.
 */
export const toEvent = (event: EventToWrite, instance: string, nowMs: number): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: eventName(event), namespace: eventNamespace(event.regarding) },
  involvedObject: event.regarding,
  reason: event.reason,
  type: event.type,
  action: event.action,
  firstTimestamp: toTime(nowMs),
  source: { component: COMPONENT },
  reportingComponent: COMPONENT,
  ...toLatest(event, instance, nowMs, 0),
});

/** What changes when it happens again: the latest occurrence is the one that is told. */
export const toLatest = (
  { message, times }: EventToWrite,
  instance: string,
  nowMs: number,
  countBefore: number,
): Record<string, unknown> => ({
  message,
  lastTimestamp: toTime(nowMs),
  count: countBefore + times,
  reportingInstance: instance.slice(0, MAX_INSTANCE_CHARACTERS),
});
