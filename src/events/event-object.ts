import { createHash } from 'node:crypto';
import type { ReleaseName } from '../helm/names.ts';
import { escapeText } from '../text/escape.ts';

/** An object that an Event is about. Without its uid, `kubectl events --for` finds the Event and `kubectl describe` does not. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Something that happened. An Event is to be written about each of the objects in `regarding`. */
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
  /** How many occurrences the Event stands for. */
  readonly times: number;
}

const COMPONENT = 'belay';

/**
 * The limit of the API server for a note of events.k8s.io/v1 (NoteLengthLimit in pkg/apis/core/validation/events.go). core/v1 has no limit, but
 * nobody reads longer messages.
 */
const MAX_MESSAGE_BYTES = 1024;

/** reportingInstance: ReportingInstanceLengthLimit of the same file. */
const MAX_INSTANCE_CHARACTERS = 128;

/** Of a sha256 hash. Among a million Events, two share a name with a chance of 3 in 10^8. */
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
  // The text must not end in the middle of a character, where bytes begin with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + ellipsis;
};

/**
 * The name of an Event. It is the same on every replica, so that the replicas find each other's Events. The uid is part of it, because an object that
 * was created again begins a new series.
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
 * An Event of core/v1 with firstTimestamp, lastTimestamp and count, as client-go's tools/record and nearly every controller make them. An Event of
 * events.k8s.io/v1 (tools/events) would be worse: the API server refuses any change of its note, and wants lastTimestamp unset. A series would keep
 * its first message for ever, and `kubectl get events --sort-by=.lastTimestamp` would sort it before all others. `kubectl events`, `get events`
 * and `describe` show "(x3 over 5m)" for both kinds.
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

/** The fields that change when the same happens again. The message is that of the latest occurrence. */
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
