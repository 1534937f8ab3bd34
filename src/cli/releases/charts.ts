import { recordPath } from '../../facts/release-reader.ts';
import type { Chart } from '../../helm/names.ts';
import { decodePayload, type Payload, PayloadError } from '../../helm/payload.ts';
import { payloadOf, type ReleaseRecord } from '../../helm/record.ts';
import { type Api, ApiError } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';

/** The part of a record that only its payload contains. */
export interface Stored {
  readonly chart: Chart;
  /** The namespace of the objects. */
  readonly namespace: string;
}

/** Concurrent requests for payloads. A Secret has at most 1.4 MB, so 8 of them take less than 12 MB. */
const CONCURRENCY = 8;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const chartOf = ({ chart }: Payload): Chart => ({
  name: text(chart?.metadata?.name),
  version: text(chart?.metadata?.version),
});

/** A record with its payload. Throws a PayloadError when Helm could not read the payload either. */
export const fetchRecord = async (
  api: Api,
  record: Pick<ReleaseRecord, 'kind' | 'namespace' | 'name'>,
): Promise<{ readonly object: KubernetesObject; readonly payload: Payload }> => {
  const object = await api.request<KubernetesObject>({ path: recordPath(record) });
  return { object, payload: decodePayload(payloadOf(object) ?? '', record.kind) };
};

/** Reads each payload once, because the payload of a stored revision never changes. */
export interface ChartReader {
  /** By the uid of the record. Leaves out records that are gone, may not be read, or cannot be decoded. */
  read(records: readonly ReleaseRecord[]): Promise<ReadonlyMap<string, Stored>>;
}

export const createChartReader = (api: Api): ChartReader => {
  const known = new Map<string, Stored>();

  const readOne = async (record: ReleaseRecord): Promise<void> => {
    try {
      const { payload } = await fetchRecord(api, record);
      known.set(record.uid, { chart: chartOf(payload), namespace: text(payload.namespace) || record.namespace });
    } catch (error) {
      const isHarmless = error instanceof ApiError && (error.status === 404 || error.status === 403);
      if (!isHarmless && !(error instanceof PayloadError)) throw error;
    }
  };

  return {
    read: async (records) => {
      const waiting = records.filter(({ uid }) => !known.has(uid));
      const worker = async (): Promise<void> => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await readOne(next);
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
      return known;
    },
  };
};
