import type { PayloadSummary } from '../../../src/helm/payload.ts';
import { type HelmStatus, type ReleaseRecord, recordName } from '../../../src/helm/record.ts';
import type { Claim } from '../../../src/rules/in-flight.ts';
import type { RecordWrite } from '../../../src/rules/record/write.ts';

/** Facts about the release `web` in the namespace `shop`, at a fixed moment. */
export const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
export const STALE_AFTER_MS = 600_000;
export const CLOCK = { nowMs: NOW_MS, staleAfterMs: STALE_AFTER_MS };
export const RELEASE = { namespace: 'shop', name: 'web' };

export const record = (revision: number, status: HelmStatus, more: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  kind: 'Secret',
  namespace: 'shop',
  name: recordName('web', revision),
  uid: `uid-${revision}`,
  resourceVersion: String(revision),
  release: 'web',
  revision,
  status,
  locks: undefined,
  createdAtMs: 0,
  updatedAtMs: NOW_MS - 60_000,
  ...more,
});

export const claim = (
  operation: Claim['operation'],
  revision: number,
  holder: string,
  more: Partial<Claim> = {},
): Claim => ({
  resourceVersion: '1',
  holder,
  operation,
  revision,
  acquiredAtMs: NOW_MS - 60_000,
  renewedAtMs: NOW_MS - 60_000,
  recordVersion: undefined,
  ...more,
});

export const payload = (revision: number, status: HelmStatus, more: Partial<PayloadSummary> = {}): PayloadSummary => ({
  name: 'web',
  namespace: 'shop',
  revision,
  status,
  deleted: '',
  chartName: 'shop',
  chartVersion: '1.4.0',
  ...more,
});

const labels = (of: ReleaseRecord): Record<string, string> => ({
  owner: 'helm',
  name: of.release,
  version: String(of.revision),
  status: of.status,
});

/** A write as Helm makes it: its labels and its payload agree. */
export const write = (
  username: string,
  before: ReleaseRecord | undefined,
  after: ReleaseRecord | undefined,
  more: Partial<RecordWrite> = {},
): RecordWrite => ({
  release: RELEASE,
  username,
  before,
  after,
  contentChanged: after !== undefined,
  labels: after === undefined ? {} : labels(after),
  payload: after === undefined ? undefined : payload(after.revision, after.status),
  payloadBefore: before === undefined ? undefined : payload(before.revision, before.status),
  changedParts: [],
  mayBreak: false,
  gainsOwner: false,
  terminating: false,
  ...more,
});
