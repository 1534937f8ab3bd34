import type { FieldChange, FieldOwner } from '../verdict.ts';
import { isQuantityField, isSameDuration, isSameQuantity } from './amount.ts';
import { hasChartValue } from './chart-value.ts';
import type { OwnedFields, Ownership } from './field-ownership.ts';
import { fieldPointer, type Step, showFieldPath } from './field-path.ts';
import { isSecretField, NOT_DESIRED_STATE } from './find-drift.ts';
import { descend, descendItem, type IgnoreState, isIgnored } from './ignored-paths.ts';
import { deepEqual, isMap, MAX_RECURSION, own } from './json.ts';
import { type FindElement, findElements, keyNames, labelOf } from './owned-items.ts';

export interface OwnershipWalkInput {
  /** Whether the release is applied on the server. Otherwise a field only must not be left without any owner. */
  readonly isApplied: boolean;
  readonly isBuiltIn: boolean;
  readonly isSecret: boolean;
  /** Whether the writer may add fields to the chart's items of lists, and so has to name the items. */
  readonly chartOnly: boolean;
}

/** One place of the object: in the chart, and before and after the write. */
interface Place {
  readonly chart: unknown;
  readonly before: unknown;
  readonly after: unknown;
  readonly ignore: IgnoreState;
}

/** What is owned at one place. */
interface Owned {
  readonly release: readonly OwnedFields[];
  readonly releaseNow: readonly OwnedFields[];
  readonly others: readonly OwnedFields[];
  readonly othersNow: readonly OwnedFields[];
  /** Whether the release owns the list or the map as a whole that holds the place. */
  readonly isCovered: boolean;
  readonly isCoveredNow: boolean;
}

/** An item itself, or a map itself, beside what is in it. */
const ITSELF = '.';

const isLeaf = ({ fields }: OwnedFields): boolean => Object.keys(fields).length === 0;

const below = (owned: readonly OwnedFields[], element: string): readonly OwnedFields[] =>
  owned.flatMap(({ owner, fields }) => {
    const inner = own(fields, element);
    return isMap(inner) ? [{ owner, fields: inner }] : [];
  });

const ownersOf = (owned: readonly OwnedFields[]): readonly FieldOwner[] =>
  owned.filter(isLeaf).map(({ owner }) => owner);

/** Walks what `managedFields` says of the release and of all others, before and after a write, and collects what changes. */
export class OwnershipWalk {
  readonly drift: FieldChange[] = [];
  readonly restored: FieldChange[] = [];
  readonly #input: OwnershipWalkInput;
  readonly #steps: Step[] = [];

  constructor(input: OwnershipWalkInput) {
    this.#input = input;
  }

  /** Reports the entry of the release as one change. Its fields would be too many to show. */
  reportEntry(old: Ownership, now: Ownership): void {
    const mark = (owned: readonly OwnedFields[]): readonly OwnedFields[] =>
      ['f:metadata', 'f:annotations', 'f:meta.helm.sh/release-name'].reduce(below, owned);
    this.drift.push({
      path: 'metadata.managedFields',
      pointer: '/metadata/managedFields',
      before: undefined,
      after: undefined,
      secret: false,
      owners: { before: ownersOf(mark(old.release)), after: ownersOf(mark([...now.release, ...now.others])) },
    });
  }

  visitObject(old: Ownership, now: Ownership, place: Place): void {
    const [release, releaseNow, others, othersNow] = [old.release, now.release, old.others, now.others];
    this.#visit({ release, releaseNow, others, othersNow, isCovered: false, isCoveredNow: false }, place);
  }

  #visit(owned: Owned, place: Place): void {
    if (isIgnored(place.ignore) || this.#isBeyondDesiredState() || this.#steps.length >= MAX_RECURSION) return;
    const { release, releaseNow, othersNow } = owned;
    if (release.length === 0 && releaseNow.length === 0 && othersNow.length === 0) return;
    this.#judge(owned, place);
    const inside: Owned = {
      ...owned,
      isCovered: owned.isCovered || release.some(isLeaf),
      isCoveredNow: owned.isCoveredNow || releaseNow.some(isLeaf),
    };
    const elements = new Set([release, releaseNow, othersNow].flat().flatMap(({ fields }) => Object.keys(fields)));
    const found = this.drift.length;
    this.#visitElements(elements, inside, place);
    if (this.drift.length === found && elements.has(ITSELF)) this.#judgeItself(inside, place);
  }

  #visitElements(elements: ReadonlySet<string>, owned: Owned, place: Place): void {
    const names = keyNames([...elements].find((element) => element.startsWith('k:')) ?? '');
    const [chart, before, after] = [place.chart, place.before, place.after].map((value) => findElements(value, names));
    const keys = new Set(this.#keysOfItem());
    for (const element of elements) {
      // The keys of an item say which item it is.
      if (element === ITSELF || keys.has(element)) continue;
      this.#steps.push(toStep(element, before as FindElement, after as FindElement));
      const inner: Place = {
        chart: chart?.(element).value,
        before: before?.(element).value,
        after: after?.(element).value,
        ignore: ignoreBelow(place.ignore, element, chart as FindElement, before as FindElement, after as FindElement),
      };
      this.#visit(takeBelow(owned, element), inner);
      this.#steps.pop();
    }
  }

  /** Judges a field that is owned as a whole: a scalar, or a list or map that has one owner for all of it. */
  #judge(owned: Owned, place: Place): void {
    const { release, releaseNow, others, othersNow, isCovered, isCoveredNow } = owned;
    const wasReleases = release.some(isLeaf);
    const isJoined = othersNow.some(isLeaf) && !others.some(isLeaf);
    if (!this.#isSame(place)) {
      const isBack = place.chart !== undefined && this.#hasChartValue(place.chart, place.after);
      if (this.#input.isApplied && othersNow.some(isLeaf) && isBack && releaseNow.length === 0 && !isCoveredNow)
        this.#report(this.restored, owned, place);
      return;
    }
    const isKept = releaseNow.length > 0 || isCoveredNow;
    const isLost = wasReleases && !isKept && (this.#input.isApplied || othersNow.length === 0);
    const isShared = wasReleases && isJoined;
    // What Helm owns and the chart does not set goes with the next upgrade.
    const isGained = releaseNow.some(isLeaf) && release.length === 0 && !isCovered && place.chart === undefined;
    if (isLost || (this.#input.isApplied && (isShared || (isGained && place.after !== undefined))))
      this.#report(this.drift, owned, place);
  }

  /** An item that somebody else owns as well stays behind when the chart drops it, with nothing but its keys in it. */
  #judgeItself(owned: Owned, place: Place): void {
    const mayName = this.#input.chartOnly || place.ignore !== undefined;
    const [release, releaseNow] = [below(owned.release, ITSELF), below(owned.releaseNow, ITSELF)];
    const [others, othersNow] = [below(owned.others, ITSELF), below(owned.othersNow, ITSELF)];
    const itself = { ...owned, release, releaseNow, others: mayName ? othersNow : others, othersNow };
    const isThere = (value: unknown): boolean | undefined => (value === undefined ? undefined : true);
    const { chart, before, after, ignore } = place;
    this.#judge(itself, { chart, before: isThere(before), after: isThere(after), ignore });
  }

  /** Whether the value is the same. Another spelling of it is the same for people, and up to controllers, which write from Go's types. */
  #isSame({ before, after }: Place): boolean {
    if (deepEqual(before, after)) return true;
    if (this.#input.chartOnly) return false;
    const { isBuiltIn } = this.#input;
    if (isQuantityField(this.#name(-2), this.#name(-1), isBuiltIn)) return isSameQuantity(before, after);
    return !isBuiltIn && isSameDuration(before, after);
  }

  #hasChartValue(chart: unknown, after: unknown): boolean {
    return hasChartValue(chart, after, this.#name(-2), this.#name(-1), this.#input.isBuiltIn);
  }

  #report(to: FieldChange[], { release, releaseNow, others, othersNow }: Owned, { before, after }: Place): void {
    to.push({
      path: showFieldPath(this.#steps),
      pointer: fieldPointer(this.#steps, after === undefined),
      before,
      after,
      secret: this.#input.isSecret && isSecretField(this.#steps),
      owners: {
        before: [...ownersOf(release), ...ownersOf(others)],
        after: [...ownersOf(releaseNow), ...ownersOf(othersNow)],
      },
    });
  }

  #isBeyondDesiredState(): boolean {
    const [first, second, ...more] = this.#steps;
    if (first === 'status') return true;
    return first === 'metadata' && typeof second === 'string' && more.length === 0 && NOT_DESIRED_STATE.has(second);
  }

  #keysOfItem(): readonly string[] {
    const step = this.#steps.at(-1);
    return typeof step === 'object' ? keyNames(step.managedKey ?? '').map((name) => `f:${name}`) : [];
  }

  #name(at: number): string {
    const step = this.#steps.at(at);
    return typeof step === 'string' ? step : '';
  }
}

const takeBelow = (owned: Owned, element: string): Owned => ({
  ...owned,
  release: below(owned.release, element),
  releaseNow: below(owned.releaseNow, element),
  others: below(owned.others, element),
  othersNow: below(owned.othersNow, element),
});

const toStep = (element: string, before: FindElement, after: FindElement): Step => {
  if (element.startsWith('f:')) return element.slice(2);
  return {
    label: labelOf(element),
    managedKey: element,
    beforeIndex: before(element).index,
    afterIndex: after(element).index,
  };
};

/** An ignored path with an index means the item at that place of the chart's list, as long as nobody moves it. */
const ignoreBelow = (
  ignore: IgnoreState,
  element: string,
  chart: FindElement,
  before: FindElement,
  after: FindElement,
): IgnoreState => {
  if (element.startsWith('f:')) return descend(ignore, element.slice(2));
  if (ignore === undefined) return undefined;
  const [old, now] = [before(element).index, after(element).index];
  return descendItem(ignore, old === now ? (chart(element).index ?? old) : undefined);
};
