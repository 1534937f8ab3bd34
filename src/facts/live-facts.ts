import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Api } from '../kubernetes/api.ts';
import type { ReleaseFacts } from '../rules/in-flight.ts';
import type { NamespaceFacts } from '../rules/locks.ts';
import { recordsOfStorage } from '../rules/storage-kind.ts';
import { type LeaseVersion, readLeaseVersion, readNamespace, readRecords } from './release-reader.ts';

/**
 * Bytes of metadata of the records of one release. A usual record has one or two KB, so these are some 5,000 revisions. More is what somebody has labelled
 * as records of the release to make each review of it cost seconds.
 */
const MAX_RELEASE_BYTES = 8 * 1024 * 1024;

/**
 * The facts as the API server has them now, strongly consistent. Rejects with ApiError when they cannot be read, and with AnswerTooLarge when the records of a
 * release have too much metadata: the caller must not guess.
 */
export interface LiveFacts {
  /**
   * The Lease is read *before* the records. A starter that claims after this read makes the caller's own claim fail on its resourceVersion.
   * A starter that claimed before this read is seen here.
   */
  release(
    release: ReleaseName,
    signal: AbortSignal,
  ): Promise<ReleaseFacts & { readonly lease: LeaseVersion | undefined }>;
  /** The records alone, of both kinds. */
  records(release: ReleaseName, signal: AbortSignal): Promise<readonly ReleaseRecord[]>;
  /** All records of a namespace. */
  recordsIn(namespace: string, signal: AbortSignal): Promise<readonly ReleaseRecord[]>;
  /** All records of releases of that name, in all namespaces. */
  recordsNamed(name: string, signal: AbortSignal): Promise<readonly ReleaseRecord[]>;
  /** Undefined when there is no such Namespace. */
  namespace(name: string, signal: AbortSignal): Promise<NamespaceFacts | undefined>;
}

export const createLiveFacts = (api: Api): LiveFacts => {
  const records: LiveFacts['records'] = ({ namespace, name }, signal) =>
    readRecords(api, { namespace, names: [name] }, { signal, maxBytes: MAX_RELEASE_BYTES, isWhole: true });
  return {
    release: async (release, signal) => {
      const lease = await readLeaseVersion(api, release, signal);
      const claim = lease?.claim;
      return { lease, claim, records: recordsOfStorage(await records(release, signal), claim) };
    },
    records,
    recordsIn: (namespace, signal) => readRecords(api, { namespace }, { signal, isWhole: true }),
    recordsNamed: (name, signal) =>
      readRecords(api, { namespace: undefined, names: [name] }, { signal, isWhole: true }),
    namespace: (name, signal) => readNamespace(api, name, signal),
  };
};
