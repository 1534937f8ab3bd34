import type { Manifest, Manifests } from '../../facts/manifests.ts';
import { parseManifest } from '../../helm/manifest.ts';
import { PayloadError, summarize } from '../../helm/payload.ts';
import { type Api, isNotFound } from '../../kubernetes/api.ts';
import { fetchRecord } from '../releases/charts.ts';

/** Decodes on the main thread: nothing else waits for it, and starting a thread takes longer than decoding a payload. */
export const readManifests = (api: Api): Pick<Manifests, 'of'> => ({
  of: async (record): Promise<Manifest | undefined> => {
    try {
      const { payload } = await fetchRecord(api, record);
      const { chartName, chartVersion, namespace } = summarize(payload);
      return {
        chart: { name: chartName, version: chartVersion },
        namespace: namespace === '' ? record.namespace : namespace,
        documents: parseManifest(typeof payload.manifest === 'string' ? payload.manifest : ''),
      };
    } catch (error) {
      if (isNotFound(error) || error instanceof PayloadError) return undefined;
      throw error;
    }
  },
});
