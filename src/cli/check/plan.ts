import type { Chart, OperationKind } from '../../helm/names.ts';
import { isPending, type ReleaseRecord } from '../../helm/record.ts';
import { highestDeployed } from '../../rules/in-flight.ts';
import { EXIT, Failure } from '../failure.ts';

export interface OperationRequest {
  readonly operation: OperationKind;
  /** The name of the release. */
  readonly name: string;
  readonly chart: string | undefined;
  readonly version: string | undefined;
  /** The target of a rollback. */
  readonly revision: number | undefined;
}

/** Helm's first write: its revision, and the record whose chart it would use. */
export type Plan =
  | { readonly writes: 'new'; readonly revision: number; readonly chartOf: ReleaseRecord | undefined }
  | { readonly writes: 'uninstalling'; readonly record: ReleaseRecord };

const refusedByHelm = (problem: string): Failure => new Failure(`Helm itself would refuse: ${problem}`, EXIT.failed);

const planRollback = (
  records: readonly ReleaseRecord[],
  newest: ReleaseRecord,
  { name, revision }: OperationRequest,
): Plan => {
  // Without a revision, Helm takes the revision before the newest.
  const target = revision === undefined || revision === 0 ? newest.revision - 1 : revision;
  const record = records.find((candidate) => candidate.revision === target && candidate.kind === newest.kind);
  if (target < 1) throw refusedByHelm('there is no revision before this one');
  if (record === undefined)
    throw new Failure(`release ${JSON.stringify(name)} has no revision ${target} to go back to`);
  return { writes: 'new', revision: newest.revision + 1, chartOf: record };
};

/** Throws when Helm itself would refuse to begin. `newest` is undefined when there is no such release. */
export const planOperation = (
  request: OperationRequest,
  records: readonly ReleaseRecord[],
  newest: ReleaseRecord | undefined,
): Plan => {
  if (request.operation === 'install') {
    // https://github.com/helm/helm/blob/main/pkg/action/install.go, availableName
    if (newest !== undefined && newest.status !== 'uninstalled' && newest.status !== 'failed')
      throw refusedByHelm(`there is a release of that name, and it is ${newest.status}`);
    return { writes: 'new', revision: (newest?.revision ?? 0) + 1, chartOf: newest };
  }
  if (newest === undefined) throw new TypeError('there is nothing to plan for');
  switch (request.operation) {
    case 'upgrade':
      return { writes: 'new', revision: newest.revision + 1, chartOf: highestDeployed(records) ?? newest };
    case 'rollback':
      return planRollback(records, newest, request);
    case 'uninstall':
      if (newest.status === 'uninstalled') throw refusedByHelm('it is uninstalled already');
      return { writes: 'uninstalling', record: newest };
  }
};

/** Of Helm's commands only upgrade refuses to run over a pending operation, even a dead one (docs/helm.md#concurrency). */
export const refuseAsHelm = ({ operation }: OperationRequest, newest: ReleaseRecord | undefined): void => {
  if (operation === 'upgrade' && newest !== undefined && isPending(newest.status))
    throw refusedByHelm(
      `revision ${newest.revision} is ${newest.status}; roll back first, or let \`belay lock upgrade\` do so`,
    );
};

/** The chart of an operation: the requested one, or else the present one. */
export const chartFor = ({ operation, chart, version }: OperationRequest, known: Chart | undefined): Chart => {
  if (operation === 'rollback' && known !== undefined) return known;
  // `bitnami/nginx`, `oci://…/nginx` and `./nginx` are locations. The name of the chart is the last part.
  const name = chart === undefined ? known?.name : chart.replace(/\/+$/, '').split('/').at(-1);
  const wanted = version ?? known?.version;
  if (!name || !wanted)
    throw new Failure('which chart would that be? Give --chart NAME and --version VERSION', EXIT.usage);
  return { name, version: wanted };
};
