import type { Logger } from 'pino';
import type { RecordKind, ReleaseName } from '../helm/names.ts';
import { keyOf } from '../helm/names.ts';
import { locksIn, type ReleaseRecord, toRecord } from '../helm/record.ts';
import type { MirrorIntervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import type { ReflectorSink } from '../kubernetes/mirror.ts';
import type { ObjectMeta, ReflectedObject } from '../kubernetes/object.ts';
import { createReflector, type Reflector } from '../kubernetes/reflector.ts';
import type { Claim, ReleaseFacts } from '../rules/in-flight.ts';
import { type NamespaceFacts, toNamespaceFacts } from '../rules/locks.ts';
import { recordsOfStorage } from '../rules/storage-kind.ts';
import { CLAIM_SELECTOR, readClaim } from './claim-lease.ts';
import { CLAIM_FIELDS, NAMESPACE_FIELDS, RECORD_FIELDS } from './read-fields.ts';
import { RecordStore } from './record-store.ts';

/** Record metadata, claims and namespaces of the whole cluster, in memory. May lag behind: never deny from it alone. */
export interface ReleaseIndex {
  facts(release: ReleaseName): ReleaseFacts;
  /** Every release that has a record. May change while it is walked. */
  releases(): Iterable<ReleaseName>;
  /** The namespaces that have records of a release of that name. */
  namespacesOf(name: string): Iterable<string>;
  /** Whether another namespace than the release's own has records of a release of that name. Costs one look-up. */
  isElsewhere(release: ReleaseName): boolean;
  /** Calls back after each change of a release's records, for as long as the index lives. */
  onChange(listener: (release: ReleaseName) => void): void;
  namespace(name: string): NamespaceFacts | undefined;
  /** Claims whose release has no record any more. */
  orphanedClaims(): readonly { readonly release: ReleaseName; readonly claim: Claim }[];
  isSynced(): boolean;
  /** Whether reviews may be judged by this memory: everything has been listed, and it lags by moments at most. */
  isFresh(): boolean;
  recordCount(): number;
  /** Milliseconds since the quietest watch was last heard of. */
  silenceMs(): number;
  /** For how long something may have been missed; 0 while all watches are open and live. */
  staleMs(): number;
  run(signal: AbortSignal): Promise<void>;
}

const recordSink = (store: RecordStore, kind: RecordKind): ReflectorSink<ReleaseRecord> => {
  let last: ReleaseRecord | undefined;
  return {
    read: (object) => {
      const record = toRecord(kind, object.metadata);
      if (record === undefined) return undefined;
      last = store.share(record, last);
      return last;
    },
    replace: (records) => store.replaceKind(kind, records),
    upsert: (record) => store.upsert(record),
    remove: (record) => store.remove(record),
  };
};

interface MapEntry<T> {
  readonly key: string;
  readonly value: T;
}

const mapSink = <T>(
  map: Map<string, T>,
  read: (object: ReflectedObject) => MapEntry<T> | undefined,
): ReflectorSink<MapEntry<T>> => ({
  read,
  replace: (entries) => {
    map.clear();
    for (const { key, value } of entries) map.set(key, value);
  },
  upsert: ({ key, value }) => {
    map.set(key, value);
  },
  remove: ({ key }) => {
    map.delete(key);
  },
});

// Nearly every namespace has no locks. Then only its name and labels are kept.
const compactNamespace = (metadata: ObjectMeta | undefined): NamespaceFacts => {
  const facts = toNamespaceFacts(metadata);
  return { ...facts, annotations: locksIn(facts.annotations) };
};

/**
 * Mirrors what most reviews need. The four watches end with the signal given to `run`. The function is long because it lists the watches and the
 * questions.
 */
export const createReleaseIndex = (api: Api, log: Logger, intervals: MirrorIntervals): ReleaseIndex => {
  const listeners: ((release: ReleaseName) => void)[] = [];
  const records = new RecordStore((release) => {
    for (const listener of listeners) listener(release);
  });
  const claims = new Map<string, { readonly release: ReleaseName; readonly claim: Claim }>();
  const namespaces = new Map<string, NamespaceFacts>();

  const reflectors: readonly Reflector[] = [
    createReflector(
      api,
      // Records are found by their label alone, as Helm finds them: for Helm a Secret of another type counts as well.
      { path: '/api/v1/secrets', labelSelector: 'owner=helm', shape: RECORD_FIELDS },
      recordSink(records, 'Secret'),
      log,
      { intervals },
    ),
    createReflector(
      api,
      { path: '/api/v1/configmaps', labelSelector: 'owner=helm', shape: RECORD_FIELDS },
      recordSink(records, 'ConfigMap'),
      log,
      { intervals },
    ),
    createReflector(
      api,
      { path: '/apis/coordination.k8s.io/v1/leases', labelSelector: CLAIM_SELECTOR, whole: true, shape: CLAIM_FIELDS },
      mapSink(claims, (object) => {
        const read = readClaim(object);
        return read === undefined ? undefined : { key: keyOf(read.release), value: read };
      }),
      log,
      { intervals },
    ),
    createReflector(
      api,
      { path: '/api/v1/namespaces', shape: NAMESPACE_FIELDS },
      mapSink(namespaces, (object) => ({ key: object.metadata?.name ?? '', value: compactNamespace(object.metadata) })),
      log,
      { intervals },
    ),
  ];

  return {
    facts: (release) => {
      const key = keyOf(release);
      const claim = claims.get(key)?.claim;
      return { records: recordsOfStorage(records.of(key), claim), claim };
    },
    releases: () => records.releases(),
    namespacesOf: (name) => records.namespacesOf(name),
    isElsewhere: (release) => records.isElsewhere(release),
    onChange: (listener) => {
      listeners.push(listener);
    },
    namespace: (name) => namespaces.get(name),
    orphanedClaims: () => [...claims].filter(([key]) => records.of(key).length === 0).map(([, entry]) => entry),
    isSynced: () => reflectors.every((reflector) => reflector.isSynced()),
    isFresh: () =>
      reflectors.every((reflector) => reflector.isSynced() && reflector.staleMs() < intervals.staleAfterMs),
    recordCount: () => records.count,
    silenceMs: () => Math.max(...reflectors.map((reflector) => reflector.silenceMs())),
    staleMs: () => Math.max(...reflectors.map((reflector) => reflector.staleMs())),
    run: async (signal) => {
      await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
    },
  };
};
