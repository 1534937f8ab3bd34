import type { Chart } from '../../helm/names.ts';
import type { LockSource } from '../../policy/lock.ts';
import type { Denial } from '../../rules/verdict.ts';
import { quoteText, showName } from '../../text/escape.ts';
import { unlock } from './commands.ts';
import { type Explanation, showNames, showRelease } from './explanation.ts';

type DenialOf<Code extends Denial['code']> = Extract<Denial, { code: Code }>;

const showChart = ({ name, version }: Chart): string => showName(`${name}-${version}`);

const showMove = ({ attempt, release, chart }: DenialOf<'BelayPinned' | 'BelayDowngrade'>): string =>
  `${attempt} of ${showRelease(release)} to chart ${showChart(chart)}`;

/** Locks on records of one kind in one namespace. */
const showSources = (sources: readonly LockSource[]): string =>
  `${sources[0]?.kind ?? ''} ${showNames(sources.map(({ name }) => name))}`;

/** One `kubectl annotate -l` locks all revisions alike, so equal locks share one line. */
const alike = <T>(items: readonly T[], keyOf: (item: T) => unknown): readonly (readonly T[])[] => [
  ...Map.groupBy(items, (item) => JSON.stringify(keyOf(item))).values(),
];

const showDeployed = (deployed: Chart | undefined): string[] =>
  deployed === undefined ? [] : [`deployed: ${showChart(deployed)}`];

const whatToDo = (
  sources: readonly LockSource[],
  key: string,
  release: DenialOf<'BelayPinned'>['release'],
): string[] => [
  sources.every(({ kind }) => kind === 'ReleasePolicy')
    ? 'to lift it, for someone who may change the policy:'
    : 'to lift it, for someone who may unlock:',
  ...new Set(sources.map((source) => `  ${unlock(source, release, key)}`)),
];

const PROBLEMS = {
  chart: 'the release is pinned to its chart, and this is another one',
  version: 'the release is pinned, and this version is outside',
  unreadable: 'the release is pinned, and this version is not SemVer',
} as const;

export const explainPinned = (denial: DenialOf<'BelayPinned'>): Explanation => {
  const { release, deployed, problem, pins } = denial;
  return {
    headline: `${showMove(denial)} refused: ${PROBLEMS[problem]}`,
    lines: [
      ...showDeployed(deployed),
      ...alike(pins, ({ range, source }) => [range, source.kind, source.namespace]).map(
        (group) => `pinned to ${quoteText(group[0]?.range ?? '')} on ${showSources(group.map(({ source }) => source))}`,
      ),
      ...whatToDo(
        pins.map(({ source }) => source),
        'belay.dev/pin',
        release,
      ),
    ],
  };
};

export const explainDowngrade = (denial: DenialOf<'BelayDowngrade'>): Explanation => {
  const { release, deployed, sources } = denial;
  return {
    headline: `${showMove(denial)} refused: below ${showChart(deployed)}, which was deployed last`,
    lines: [
      ...alike(sources, ({ kind, namespace }) => [kind, namespace]).map(
        (group) => `no downgrades, says ${showSources(group)}`,
      ),
      ...whatToDo(sources, 'belay.dev/no-downgrade', release),
    ],
  };
};
