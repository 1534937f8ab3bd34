import { recordPath } from '../../facts/release-reader.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { type Api, ApiError } from '../../kubernetes/api.ts';
import { BREAK } from '../../policy/lock-annotations.ts';

/**
 * Tells Belay that the operation of this record is dead. Whoever began it may, and so may who has the right to break. Where Belay refuses, or the
 * record is gone by now, the command that follows is refused as long as Belay waits, and is tried again.
 */
export const declareDead = async (api: Api, record: ReleaseRecord): Promise<void> => {
  try {
    await api.request({
      method: 'PATCH',
      path: recordPath(record),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [BREAK]: 'its Helm was ended, says the lock of belay' } } },
    });
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 404)) throw error;
  }
};
