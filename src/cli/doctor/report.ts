import { styleText } from 'node:util';
import { escapeText } from '../../text/escape.ts';
import { VERSION } from '../../version.ts';
import { toJson } from '../output/machine.ts';
import { type Cell, layOut } from '../output/table.ts';
import { count, type Finding, type State } from './finding.ts';

/** Whether Belay guards. Undefined: no write could be tried. */
export type Guards = boolean | undefined;

export interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly guards: Guards;
}

const STYLES: Readonly<Record<State, Cell['style']>> = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'gray' };

const MAX_LINE_CHARACTERS = 1_000;

/** Escapes once more, in case a check forgot to. */
const safe = (line: string): string => escapeText(line, MAX_LINE_CHARACTERS);

const numberOf = (findings: readonly Finding[], state: State): number =>
  findings.filter((finding) => finding.state === state).length;

/** The last line, for readers of this line alone. */
export const summary = ({ findings, guards }: Diagnosis): string => {
  const [fails, warnings, skipped] = (['fail', 'warn', 'skip'] as const).map((state) => numberOf(findings, state));
  const verdict =
    guards === undefined
      ? 'Whether Belay guards this cluster could not be told'
      : guards
        ? 'Belay guards this cluster'
        : 'Belay is not guarding this cluster';
  const counted = [
    fails === 0 ? '' : `${fails} failed`,
    warnings === 0 ? '' : count(warnings ?? 0, 'warning'),
    skipped === 0 ? '' : `${skipped} not checked`,
  ].filter(Boolean);
  return `${verdict}: ${count(numberOf(findings, 'ok'), 'check')} passed${counted.map((text) => `, ${text}`).join('')}.`;
};

const INDENT = '       ';

const below = ({ details = [], next }: Finding): readonly string[] => [
  ...details.map((line) => `${INDENT}${safe(line)}`),
  ...(next === undefined ? [] : [`${INDENT}next: ${safe(next)}`]),
];

export const toText = (diagnosis: Diagnosis): string => {
  const { findings, guards } = diagnosis;
  const { lines } = layOut(
    findings.map(({ check, state, says }) => {
      const style = STYLES[state];
      return [{ text: state, ...(style !== undefined && { style }) }, { text: check }, { text: safe(says) }];
    }),
  );
  const rows = findings.flatMap((finding, at) => [lines[at] ?? '', ...below(finding)]);
  const isWell = guards === true && numberOf(findings, 'fail') === 0;
  const last = styleText(isWell ? 'green' : guards === undefined ? 'yellow' : 'red', summary(diagnosis), {
    stream: process.stdout,
  });
  return `${[...rows, '', last].join('\n')}\n`;
};

/** The output of `-o json` and `-o yaml`. null: it could not be found out. */
export const toObject = ({ findings, guards }: Diagnosis): object => ({
  apiVersion: 'belay.dev/v1alpha1',
  kind: 'Diagnosis',
  version: VERSION,
  guards: guards ?? null,
  checks: findings,
});

export const print = async (diagnosis: Diagnosis, output: 'table' | 'json' | 'yaml'): Promise<void> => {
  if (output === 'table') process.stdout.write(toText(diagnosis));
  else if (output === 'json') process.stdout.write(toJson(toObject(diagnosis)));
  else process.stdout.write((await import('../output/yaml.ts')).toYaml(toObject(diagnosis)));
};
