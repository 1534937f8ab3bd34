import type { Chart } from '../../helm/names.ts';
import { decodePayload, type Payload, PayloadError } from '../../helm/payload.ts';
import { payloadOf, type ReleaseRecord } from '../../helm/record.ts';
import { type Api, ApiError, pathOf } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';

/** What only a record's payload tells. */
export interface Stored {
  readonly chart: Chart;
  /** Where the objects live. */
  readonly namespace: string;
}

/** Payloads fetched at once: at 1.4 MB each at most (a Secret at its limit) they hold under 12 MB. */
const CONCURRENCY = 8;

export const recordPath = ({ kind, namespace, name }: Pick<ReleaseRecord, 'kind' | 'namespace' | 'name'>): string =>
  pathOf('api', 'v1', 'namespaces', namespace, kind === 'Secret' ? 'secrets' : 'configmaps', name);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const chartOf = ({ chart }: Payload): Chart => ({
  name: text(chart?.metadata?.name),
  version: text(chart?.metadata?.version),
});

/** A record with what it holds. Throws PayloadError where Helm could not read it either. */
export const fetchRecord = async (
  api: Api,
  record: Pick<ReleaseRecord, 'kind' | 'namespace' | 'name'>,
): Promise<{ readonly object: KubernetesObject; readonly payload: Payload }> => {
  const object = await api.request<KubernetesObject>({ path: recordPath(record) });
  return { object, payload: decodePayload(payloadOf(object) ?? '', record.kind) };
};

/** Reads payloads, each once: that of a stored revision never changes. */
export interface ChartReader {
  /** By the records' uid. One that is gone, may not be read or makes no sense is left out. */
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
