import type { KubernetesObject } from '../kubernetes/object.ts';
import { hasChartValue } from '../rules/drift/chart-value.ts';
import { findDrift } from '../rules/drift/find-drift.ts';
import type { JsonMap } from '../rules/drift/json.ts';
import type { FieldChange } from '../rules/verdict.ts';
import { lastWriter, splitPointer } from './field-owners.ts';
import type { DriftedField } from './findings.ts';
import { withoutOwnDoing } from './own-doing.ts';
import type { Marks } from './placed-document.ts';

export interface Comparison {
  /** The object with the chart's values, as the API server would store it, or nearly so where the API server was not asked. */
  readonly desired: KubernetesObject;
  readonly live: KubernetesObject;
  /** The chart's document. It says which fields the chart sets. */
  readonly document: JsonMap;
  readonly marks: Marks;
  readonly ignore: readonly string[];
}

/** Fields that the chart sets and that have other values. Defaults, and fields that only others set, do not count. */
export const compareChartFields = ({ desired, live, document, marks, ignore }: Comparison): readonly FieldChange[] =>
  withoutOwnDoing(
    live.kind,
    findDrift({ scope: 'ChartFields', document, ...marks, before: desired, after: live, ignore }),
  );

const isIndex = (key: string): boolean => /^\d+$/.test(key);

/**
 * Leaves out changes that only spell the same value in another way: `1000m` for `1`, or no field for `""` or `false`. It is used where the API
 * server cannot be asked. It may overlook a `false` that somebody took away.
 */
export const withoutSpelling = (changes: readonly FieldChange[]): readonly FieldChange[] =>
  changes.filter(({ pointer, before, after }) => {
    const keys = splitPointer(pointer).map((key) => (isIndex(key) ? '' : key));
    return !hasChartValue(before, after, keys.at(-2) ?? '', keys.at(-1) ?? '', true);
  });

/** Only these fields of a Secret are shown. Other annotations are not: in one of them kubectl keeps a copy of the whole object. */
const HARMLESS_IN_SECRET = /^\/(type|immutable|metadata\/labels|metadata\/annotations\/meta\.helm\.sh~1[^/]+)(\/|$)/;

/** Adds who wrote each field last. A field that is gone has no writer. */
export const withWriters = (changes: readonly FieldChange[], live: KubernetesObject): readonly DriftedField[] => {
  const isSecret = live.kind === 'Secret' && live.apiVersion === 'v1';
  return changes.map((change) => ({
    ...change,
    secret: change.secret || (isSecret && !HARMLESS_IN_SECRET.test(change.pointer)),
    writer: change.after === undefined ? undefined : lastWriter(live, change.pointer),
  }));
};
