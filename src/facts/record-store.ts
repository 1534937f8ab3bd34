import type { RecordKind, ReleaseName } from '../helm/names.ts';
import { keyOf } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';

const releaseOf = (record: ReleaseRecord): ReleaseName => ({ namespace: record.namespace, name: record.release });

const isSame = (a: ReleaseRecord, b: ReleaseRecord): boolean => a.kind === b.kind && a.name === b.name;

/** Records by release. A release has few revisions (Helm keeps 10), so a short list for each release is smallest and fastest. */
export class RecordStore {
  readonly #byRelease = new Map<string, readonly ReleaseRecord[]>();
  /** The namespaces in which a release name has records. Nearly every name is in one namespace, which takes no more than a string. */
  readonly #namespaces = new Map<string, string | Set<string>>();
  readonly #changed: (release: ReleaseName) => void;
  #count = 0;

  /** `changed` is called after each change of a release's records. */
  constructor(changed: (release: ReleaseName) => void = () => undefined) {
    this.#changed = changed;
  }

  get count(): number {
    return this.#count;
  }

  of(key: string): readonly ReleaseRecord[] {
    return this.#byRelease.get(key) ?? [];
  }

  *releases(): Iterable<ReleaseName> {
    for (const [record] of this.#byRelease.values()) if (record !== undefined) yield releaseOf(record);
  }

  namespacesOf(name: string): Iterable<string> {
    const found = this.#namespaces.get(name);
    return typeof found === 'string' ? [found] : (found ?? []);
  }

  /** Whether another namespace than this one has records of that name. */
  isElsewhere({ namespace, name }: ReleaseName): boolean {
    const found = this.#namespaces.get(name);
    return found !== undefined && found !== namespace;
  }

  upsert(record: ReleaseRecord): void {
    const release = releaseOf(record);
    const others = this.of(keyOf(release)).filter((known) => !isSame(known, record));
    this.#put(release, [...others, record]);
  }

  remove(record: ReleaseRecord): void {
    const release = releaseOf(record);
    this.#put(
      release,
      this.of(keyOf(release)).filter((known) => !isSame(known, record)),
    );
  }

  /**
   * The record as it is kept. A record that is known already is kept as it is. A new record shares the strings of its release with the known
   * records or with `last`, the record read before it. Lists come sorted, so that the records of one release follow each other.
   */
  share(record: ReleaseRecord, last: ReleaseRecord | undefined): ReleaseRecord {
    const siblings = this.of(keyOf(releaseOf(record)));
    const known = siblings.find((sibling) => isSame(sibling, record));
    if (known?.uid === record.uid && known.resourceVersion === record.resourceVersion) return known;
    const [sibling = last] = siblings;
    if (sibling === undefined) return record;
    const { namespace, release } = sibling;
    return {
      ...record,
      namespace: namespace === record.namespace ? namespace : record.namespace,
      release: release === record.release ? release : record.release,
    };
  }

  /** Replaces all records of one kind. A release whose records are all known already has not changed. */
  replaceKind(kind: RecordKind, records: readonly ReleaseRecord[]): void {
    const listed = Map.groupBy(records, (record) => keyOf(releaseOf(record)));
    for (const release of [...this.releases()]) if (!listed.has(keyOf(release))) this.#putKind(release, kind, []);
    for (const [first, ...others] of listed.values()) {
      if (first !== undefined) this.#putKind(releaseOf(first), kind, [first, ...others]);
    }
  }

  #putKind(release: ReleaseName, kind: RecordKind, listed: readonly ReleaseRecord[]): void {
    const known = this.of(keyOf(release));
    const records = [...known.filter((record) => record.kind !== kind), ...listed];
    const isUnchanged = records.length === known.length && records.every((record) => known.includes(record));
    if (!isUnchanged) this.#put(release, records);
  }

  #put(release: ReleaseName, records: readonly ReleaseRecord[]): void {
    const key = keyOf(release);
    this.#count += records.length - this.of(key).length;
    if (records.length === 0) {
      if (this.#byRelease.delete(key)) this.#leave(release);
    } else {
      if (!this.#byRelease.has(key)) this.#enter(release);
      this.#byRelease.set(key, records);
    }
    this.#changed(release);
  }

  #enter({ namespace, name }: ReleaseName): void {
    const found = this.#namespaces.get(name);
    if (found === undefined) this.#namespaces.set(name, namespace);
    else if (typeof found === 'string') this.#namespaces.set(name, new Set([found, namespace]));
    else found.add(namespace);
  }

  #leave({ namespace, name }: ReleaseName): void {
    const found = this.#namespaces.get(name);
    if (found === undefined) return;
    if (typeof found === 'string') {
      this.#namespaces.delete(name);
      return;
    }
    found.delete(namespace);
    const [last] = found;
    // One namespace is left, so a string is kept again: for such names the look-up is a comparison.
    if (found.size === 1 && last !== undefined) this.#namespaces.set(name, last);
  }
}
