import { styleText } from 'node:util';
import { createTwoFilesPatch } from 'diff';
import { describeField, showObject } from '../../drift/describe-drift.ts';
import type { CheckedRelease, ObjectDrift } from '../../drift/findings.ts';
import { marksOf, toStored } from '../../drift/placed-document.ts';
import { showName } from '../../text/escape.ts';
import { toYaml } from '../output/yaml.ts';
import { toShown } from './shown-object.ts';

/** Lines around a change, as `diff -u` and `kubectl diff` show them. */
const CONTEXT_LINES = 3;

/** A longer comparison, such as a big ConfigMap line by line, would take minutes. */
const MAX_EDITS = 5_000;

const STYLES: readonly (readonly [start: string, style: Parameters<typeof styleText>[0]])[] = [
  ['---', 'bold'],
  ['+++', 'bold'],
  ['@@', 'cyan'],
  ['-', 'red'],
  ['+', 'green'],
  ['#', 'dim'],
];

const paint = (line: string, stream: NodeJS.WriteStream): string => {
  const style = STYLES.find(([start]) => line.startsWith(start))?.[1];
  return style === undefined ? line : styleText(style, line, { stream });
};

/** Sorts keys, because the API server and charts use different orders. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)]));
};

const yamlOf = async (value: unknown): Promise<string> => (value === undefined ? '' : toYaml(sorted(value)));

const toPatch = async (drift: ObjectDrift, checked: CheckedRelease): Promise<readonly string[]> => {
  const name = showObject(drift.object);
  const shown = toShown(drift, toStored(drift.document, marksOf(checked.release, checked.namespace)));
  if (drift.problem === 'unmarked') return [];
  if (shown.chart === undefined)
    return [`--- ${name} (chart)`, `+++ ${name} (live)`, ...drift.changed.map((field) => `# ${describeField(field)}`)];
  const [chart, live] = await Promise.all([yamlOf(shown.chart), yamlOf(shown.live)]);
  const to = drift.live === undefined ? '/dev/null' : `${name} (live)`;
  const options = { context: CONTEXT_LINES, maxEditLength: MAX_EDITS };
  const patch = createTwoFilesPatch(`${name} (chart)`, to, chart, live, undefined, undefined, options);
  if (patch === undefined) return drift.changed.map((field) => `# ${describeField(field)}`);
  return patch
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('====') && !line.startsWith('\\ '));
};

/** Shows one object to a person: the writers of its fields, and the difference between the chart and the cluster. */
export const showDiff = async (
  drift: ObjectDrift,
  checked: CheckedRelease,
  stream: NodeJS.WriteStream,
): Promise<string> => {
  const { release, governing } = checked;
  const told = [
    `# release ${showName(release.namespace)}/${showName(release.name)}, revision ${governing.revision}, chart ${showName(checked.chart)}`,
    ...(drift.problem === 'missing' ? [`# ${showObject(drift.object)} is missing`] : []),
    ...(drift.problem === 'unmarked'
      ? [
          `# ${showObject(drift.object)} does not carry the marks of the release: it may be somebody else's, and is left alone`,
        ]
      : []),
    ...(drift.keep ? ['# helm.sh/resource-policy: keep'] : []),
    ...[...drift.changed, ...drift.added]
      .filter(({ writer }) => writer !== undefined)
      .map((field) => `# ${describeField(field)}`),
  ];
  const lines = [...told, ...(await toPatch(drift, checked))];
  return `${lines.map((line) => paint(line, stream)).join('\n')}\n`;
};
