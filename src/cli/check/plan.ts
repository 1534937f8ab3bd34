import type { Chart, OperationKind } from '../../helm/names.ts';
import { isPending, type ReleaseRecord } from '../../helm/record.ts';
import { highestDeployed } from '../../rules/in-flight.ts';
import { EXIT, Failure } from '../failure.ts';

export interface Wish {
  readonly operation: OperationKind;
  /** Of the release. */
  readonly name: string;
  readonly chart: string | undefined;
  readonly version: string | undefined;
  /** Of a rollback. */
  readonly revision: number | undefined;
}

/** What Helm would do: which revision it would write, and whose chart it would bring. */
export type Plan =
  | { readonly writes: 'new'; readonly revision: number; readonly chartOf: ReleaseRecord | undefined }
  | { readonly writes: 'uninstalling'; readonly record: ReleaseRecord };

const refusedByHelm = (problem: string): Failure => new Failure(`Helm itself would refuse: ${problem}`, EXIT.failed);

const planRollback = (records: readonly ReleaseRecord[], newest: ReleaseRecord, { name, revision }: Wish): Plan => {
  // As Helm counts: without a revision, the one before the newest.
  const target = revision === undefined || revision === 0 ? newest.revision - 1 : revision;
  const record = records.find((candidate) => candidate.revision === target && candidate.kind === newest.kind);
  if (target < 1) throw refusedByHelm('there is no revision before this one');
  if (record === undefined)
    throw new Failure(`release ${JSON.stringify(name)} has no revision ${target} to go back to`);
  return { writes: 'new', revision: newest.revision + 1, chartOf: record };
};

/** Throws where Helm would not even begin. `newest` is undefined where there is no such release. */
export const planOperation = (
  wish: Wish,
  records: readonly ReleaseRecord[],
  newest: ReleaseRecord | undefined,
): Plan => {
  if (wish.operation === 'install') {
    // https://github.com/helm/helm/blob/main/pkg/action/install.go, availableName
    if (newest !== undefined && newest.status !== 'uninstalled' && newest.status !== 'failed')
      throw refusedByHelm(`there is a release of that name, and it is ${newest.status}`);
    return { writes: 'new', revision: (newest?.revision ?? 0) + 1, chartOf: newest };
  }
  if (newest === undefined) throw new TypeError('there is nothing to plan for');
  switch (wish.operation) {
    case 'upgrade':
      return { writes: 'new', revision: newest.revision + 1, chartOf: highestDeployed(records) ?? newest };
    case 'rollback':
      return planRollback(records, newest, wish);
    case 'uninstall':
      if (newest.status === 'uninstalled') throw refusedByHelm('it is uninstalled already');
      return { writes: 'uninstalling', record: newest };
  }
};

/** Only upgrade looks for an operation that is pending, dead or not (docs/helm.md#concurrency). */
export const refuseAsHelm = ({ operation }: Wish, newest: ReleaseRecord | undefined): void => {
  if (operation === 'upgrade' && newest !== undefined && isPending(newest.status))
    throw refusedByHelm(
      `revision ${newest.revision} is ${newest.status}; roll back first, or let \`belay lock upgrade\` do so`,
    );
};

/** The chart that an operation brings: as it was asked for, else as it is. */
export const chartFor = ({ operation, chart, version }: Wish, known: Chart | undefined): Chart => {
  if (operation === 'rollback' && known !== undefined) return known;
  // `bitnami/nginx`, `oci://…/nginx` and `./nginx` are where Helm finds it, not what it is called.
  const name = chart === undefined ? known?.name : chart.replace(/\/+$/, '').split('/').at(-1);
  const wanted = version ?? known?.version;
  if (!name || !wanted)
    throw new Failure('which chart would that be? Give --chart NAME and --version VERSION', EXIT.usage);
  return { name, version: wanted };
};
