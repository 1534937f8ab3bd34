import { REHEARSED } from '../admission/explain/rehearsed.ts';
import { type Api, ApiError } from '../kubernetes/api.ts';

/**
 * An API whose dry runs are refused where the write itself would be. Belay lets a dry run pass with a warning (`drift.dryRun` of the policy), and
 * a rehearsal has to tell what would become of the write. Rejects with the ApiError that the write would be answered with.
 */
export const rehearsingApi = (api: Api): Api => ({
  ...api,
  request: async <T>(request: Parameters<Api['request']>[0]): Promise<T> => {
    const warnings: string[] = [];
    const answer = await api.request<T>({ ...request, onWarning: (text) => warnings.push(text) });
    const at = warnings.findIndex((text) => text.startsWith(REHEARSED));
    if (at < 0) return answer;
    const refusal = warnings.slice(at + 1).join('\n');
    throw new ApiError(403, 'Forbidden', `admission webhook "objects.belay.dev" denied the request: ${refusal}`);
  },
});
