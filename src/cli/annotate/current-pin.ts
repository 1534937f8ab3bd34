import { parseRange } from '../../helm/chart-range.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import type { Api } from '../../kubernetes/api.ts';
import { highestDeployed } from '../../rules/in-flight.ts';
import { Failure } from '../failure.ts';
import { chartOf, fetchRecord } from '../releases/charts.ts';
import { type LockEdit, pin } from './lock-edit.ts';

/** Pins the chart version that runs. */
export const pinCurrent = async (records: readonly ReleaseRecord[], api: Api): Promise<LockEdit> => {
  const deployed = highestDeployed(records);
  const name = JSON.stringify(records[0]?.release ?? '');
  if (deployed === undefined) throw new Failure(`release ${name} has no deployed revision: give the range yourself`);
  const { version } = chartOf((await fetchRecord(api, deployed)).payload);
  if (parseRange(version) === undefined)
    throw new Failure(`release ${name} runs chart version ${JSON.stringify(version)}, which is not SemVer`);
  return pin(version);
};
