import type { FieldChange } from '../verdict.ts';
import { isQuantityField, isSameDuration, isSameQuantity } from './amount.ts';
import { hasChartValue, isRestored, setsAnything } from './chart-value.ts';
import { fieldPointer, type Step, showFieldPath } from './field-path.ts';
import { holdsNothingElse } from './holds-nothing-else.ts';
import { descend, descendItem, type IgnoreState, isIgnored } from './ignored-paths.ts';
import { deepEqual, isEmptyValue, isList, isMap, type JsonMap, MAX_RECURSION, own } from './json.ts';
import { findManagedList, managedFieldSets } from './managed-lists.ts';
import { type ListPair, pairLists } from './pair-lists.ts';

export interface WalkInput {
  readonly before: JsonMap;
  readonly after: JsonMap;
  /** Whether the API server knows the kind's fields, and writes quantities, defaults and empty values in its own way. */
  readonly isBuiltIn: boolean;
  readonly isSecret: (steps: readonly Step[]) => boolean;
  /** Whether an empty text in the chart sets nothing. */
  readonly isEmptyBlank?: boolean;
}

/**
 * Walks the chart's document, the old object and the new object together, and collects the changes. With `chartOnly`, a change counts only
 * where the chart sets a value. Null counts as absent.
 */
export class Walk {
  readonly changes: FieldChange[] = [];
  readonly #input: WalkInput;
  readonly #steps: Step[] = [];
  #fieldSets: readonly JsonMap[] | undefined;
  #chartOnly = false;

  constructor(input: WalkInput) {
    this.#input = input;
  }

  /** Visits one field of the current map: the root, or the map that `within` entered. */
  field(key: string, chartOnly: boolean, chart: unknown, before: unknown, after: unknown, ignore: IgnoreState): void {
    this.#chartOnly = chartOnly;
    this.#step(key, chart, before, after, descend(ignore, key));
  }

  within(key: string, visit: () => void): void {
    this.#steps.push(key);
    visit();
    this.#steps.pop();
  }

  #step(step: Step, chart: unknown, before: unknown, after: unknown, ignore: IgnoreState): void {
    if (before === after || (this.#chartOnly && this.#isBlank(chart)) || isIgnored(ignore)) return;
    this.#steps.push(step);
    this.#visit(chart, before, after, ignore);
    this.#steps.pop();
  }

  #isBlank(chart: unknown): boolean {
    return chart === undefined || (chart === '' && this.#input.isEmptyBlank === true);
  }

  #visit(chart: unknown, before: unknown, after: unknown, ignore: IgnoreState): void {
    const present = before ?? after;
    const fits = (isOfKind: (value: unknown) => boolean): boolean =>
      isOfKind(present) && (after === undefined || isOfKind(after)) && (chart === undefined || isOfKind(chart));
    const kind =
      this.#steps.length >= MAX_RECURSION ? undefined : fits(isMap) ? 'map' : fits(isList) ? 'list' : undefined;
    if (kind === undefined) this.#compareWhole(chart, before, after, ignore);
    else if (before === undefined) this.#visitAdded(chart, after, ignore);
    else if (after === undefined) this.#visitRemoved(chart, before, ignore);
    else if (kind === 'map') this.#visitMap(chart as JsonMap | undefined, before as JsonMap, after as JsonMap, ignore);
    else this.#visitList(chart as List | undefined, before as List, after as List, ignore);
  }

  #visitAdded(chart: unknown, after: unknown, ignore: IgnoreState): void {
    if (chart === undefined && ignore === undefined) this.#report(undefined, after);
    // A value that comes back as the chart has it may carry defaults of the API server.
    else if (
      setsAnything(chart) &&
      hasChartValue(chart, after, this.#parent, this.#key, this.#input.isBuiltIn) &&
      this.#mayHold(chart, after)
    )
      return;
    else this.#visitContents(chart, emptyOf(after), after, ignore);
  }

  #visitRemoved(chart: unknown, before: unknown, ignore: IgnoreState): void {
    if (this.#mayDrop(before)) return;
    if (chart !== undefined || ignore !== undefined) {
      const found = this.changes.length;
      this.#visitContents(chart, before, emptyOf(before), ignore);
      // An empty map can have a meaning: `emptyDir: {}`.
      const wasEmpty = isMap(before) && Object.keys(before).length === 0;
      const isLost = this.changes.length > found || (wasEmpty && !(this.#chartOnly && setsAnything(chart)));
      // Where a part of it is ignored, the other fields are reported one by one.
      if (!isLost || (ignore !== undefined && !wasEmpty)) return;
      this.changes.length = found;
    }
    this.#report(before, undefined);
  }

  #visitContents(chart: unknown, before: unknown, after: unknown, ignore: IgnoreState): void {
    if (isMap(before) && isMap(after)) this.#visitMap(chart as JsonMap | undefined, before, after, ignore);
    else this.#visitList(chart as List | undefined, before as List, after as List, ignore);
  }

  #visitMap(chart: JsonMap | undefined, before: JsonMap, after: JsonMap, ignore: IgnoreState): void {
    const visit = (key: string): void =>
      this.#step(key, chart && own(chart, key), own(before, key), own(after, key), descend(ignore, key));
    if (this.#chartOnly) {
      for (const key of Object.keys(chart ?? {})) visit(key);
      return;
    }
    for (const key of Object.keys(before)) visit(key);
    for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) visit(key);
  }

  #visitList(chart: List | undefined, before: List, after: List, ignore: IgnoreState): void {
    if ((this.#chartOnly && !setsAnything(chart)) || deepEqual(before, after)) return;
    this.#fieldSets ??= managedFieldSets(this.#input.before, this.#input.after);
    const pairs = pairLists(findManagedList(this.#fieldSets, this.#steps), chart, before, after);
    if (pairs === undefined) {
      if (!this.#chartOnly || !this.#keepsItems(chart, before, after, ignore))
        this.#compareWhole(chart, before, after, ignore);
      return;
    }
    for (const pair of pairs) {
      const place = ignore && descendItem(ignore, steadyIndex(pair, chart?.length ?? 0));
      this.#step(pair, pair.chart, pair.before, pair.after, place);
    }
    if (!this.#chartOnly && isReordered(pairs)) this.#report(before, after);
  }

  /**
   * Whether every item of a list without identities holds what the chart sets in it, place by place. Tigera's operator fills in what
   * `ipPools[0]` leaves out. An item in which the chart sets nothing, such as the rule `{}` of a NetworkPolicy, stays as it is.
   */
  #keepsItems(chart: List | undefined, before: List, after: List, ignore: IgnoreState): boolean {
    if (chart === undefined || chart.length !== before.length || chart.length !== after.length) return false;
    const found = this.changes.length;
    for (const [index, item] of chart.entries()) {
      const [old, now, place] = [before[index], after[index], descend(ignore, String(index))];
      if (isMap(item) && setsAnything(item) && isMap(old) && isMap(now)) {
        this.#step(placeAt(index), item, old, now, place);
      } else if (!this.#isSame(old, now, place)) return false;
      if (this.changes.length > found) break;
    }
    // The list is told of as a whole, as it is to people.
    const isKept = this.changes.length === found;
    this.changes.length = found;
    return isKept;
  }

  #compareWhole(chart: unknown, before: unknown, after: unknown, ignore: IgnoreState): void {
    if (this.#isSame(before, after, ignore)) return;
    if (isRestored(chart, before, after, this.#parent, this.#key, this.#input.isBuiltIn) && this.#mayHold(chart, after))
      return;
    if (this.#chartOnly && typeof chart === 'object' && !setsAnything(chart)) return;
    if (after === undefined && this.#mayDrop(before)) return;
    this.#report(before, after);
  }

  /** Whether the writer may bring back a value that has the chart's: people bring back nothing else with it. */
  #mayHold(chart: unknown, after: unknown): boolean {
    // An item goes by the name of its list.
    const name = this.#key === '' ? this.#parent : this.#key;
    return this.#chartOnly || holdsNothingElse(chart, after, this.#parent, name, this.#input.isBuiltIn);
  }

  #isSame(before: unknown, after: unknown, ignore: IgnoreState): boolean {
    if (typeof before === 'object' || typeof after === 'object') {
      return ignore === undefined ? deepEqual(before, after) : equalButFor(ignore, before, after, 0);
    }
    if (isQuantityField(this.#parent, this.#key, this.#input.isBuiltIn) && isSameQuantity(before, after)) return true;
    return !this.#input.isBuiltIn && isSameDuration(before, after);
  }

  /** Whether a controller may remove the value: controllers that write custom resources from Go types drop false, zero and empty values (`omitempty`). */
  #mayDrop(before: unknown): boolean {
    return this.#chartOnly && !this.#input.isBuiltIn && isEmptyValue(before);
  }

  #report(before: unknown, after: unknown): void {
    this.changes.push({
      path: showFieldPath(this.#steps),
      pointer: fieldPointer(this.#steps, after === undefined),
      before,
      after,
      secret: this.#input.isSecret(this.#steps),
    });
  }

  get #key(): string {
    return nameOf(this.#steps.at(-1));
  }

  get #parent(): string {
    return nameOf(this.#steps.at(-2));
  }
}

type List = readonly unknown[];

/**
 * The index by which an ignored path means an item of a list with identities: the item's place in the chart's list or, for an item that the
 * chart does not have, a place behind all of the chart's. Undefined where the write moves the item, adds it or removes it, because
 * then the path would follow whatever comes to that place.
 */
const steadyIndex = ({ beforeIndex, afterIndex, chartIndex }: ListPair, charted: number): number | undefined => {
  if (beforeIndex === undefined || beforeIndex !== afterIndex) return undefined;
  if (chartIndex !== undefined) return chartIndex;
  return beforeIndex >= charted ? beforeIndex : undefined;
};

const placeAt = (index: number): Step => ({
  label: String(index),
  managedKey: undefined,
  beforeIndex: index,
  afterIndex: index,
});

const nameOf = (step: Step | undefined): string => (typeof step === 'string' ? step : '');

const emptyOf = (value: unknown): JsonMap | List => (isList(value) ? [] : {});

/** Whether the items that stayed have changed order, away from the chart's order. Sets have no order. */
const isReordered = (pairs: readonly ListPair[]): boolean => {
  const stayed = pairs.filter(
    ({ before, after }) => before !== undefined && after !== undefined && typeof after === 'object',
  );
  if (isAscending(stayed.map(({ afterIndex }) => afterIndex))) return false;
  const charted = stayed.filter(({ chartIndex }) => chartIndex !== undefined);
  if (charted.length < stayed.length || isAscending(charted.map(({ chartIndex }) => chartIndex))) return true;
  const now = charted.toSorted((a, b) => (a.afterIndex ?? 0) - (b.afterIndex ?? 0));
  return !isAscending(now.map(({ chartIndex }) => chartIndex));
};

const isAscending = (places: readonly (number | undefined)[]): boolean =>
  places.every((place, index) => index === 0 || (places[index - 1] ?? 0) < (place ?? 0));

const equalButFor = (ignore: IgnoreState, before: unknown, after: unknown, depth: number): boolean => {
  if (isIgnored(ignore)) return true;
  if (ignore === undefined || depth >= MAX_RECURSION) return deepEqual(before, after);
  const inside = (a: object, b: object): boolean =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
      equalButFor(descend(ignore, key), own(a as JsonMap, key), own(b as JsonMap, key), depth + 1),
    );
  if (isMap(before) && isMap(after)) return inside(before, after);
  if (isList(before) && isList(after)) return before.length === after.length && inside(before, after);
  return deepEqual(before, after);
};
