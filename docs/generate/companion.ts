import type { Command, Option } from 'commander';
import { CLUSTER_FLAGS } from '../../src/cli/access/cluster-options.ts';
import { EXIT } from '../../src/cli/failure.ts';
import { createProgram } from '../../src/cli/program.ts';
import { lockHelp } from '../../src/cli/turn/help.ts';
import { code, codes, prose, section, subsection, table } from './markdown.ts';

/** A new value does not compile until it is explained here. */
const EXIT_CODES: Readonly<Record<keyof typeof EXIT, string>> = {
  failed: 'anything else, such as a release that is not there',
  usage: 'the command line makes no sense',
  unreachable: 'there is no cluster to talk to, or it does not answer',
  lockTimeout: 'somebody else held the release for longer than `--lock-timeout`',
  recoveryFailed: 'a release that was stuck or failed could not be brought back',
  denied: 'refused, by RBAC or by Belay; of `check`: it would be refused',
};

/** Annotations of the Lease by which the users of `lock` take turns. */
const LEASE_ANNOTATIONS: Readonly<Record<string, string>> = {
  'belay.dev/lock-holder': 'who holds the release, what for, and since when',
  'belay.dev/lock-queue': 'who waits, first come, first served',
  'belay.dev/lock-left': 'what a holder has left unfinished that did not end properly',
};

/** Commands that other parts of the documentation explain: `lock` by its own help, `serve` by its flags. */
const ELSEWHERE: ReadonlySet<string> = new Set(['serve', 'lock']);

const usagesOf = (command: Command): string =>
  codes(
    command
      .usage()
      .replace(/^\[options\] ?/, '')
      .split(/\s*\n\s*/)
      .map((usage) => `${command.name()} ${usage}`.trim()),
  );

const CLUSTER: ReadonlySet<string> = new Set(
  CLUSTER_FLAGS.flatMap(({ kubectl, helm }) => (helm === undefined ? [kubectl] : [kubectl, helm])),
);

const ownOptions = ({ options }: Command): readonly Option[] =>
  options.filter(({ hidden, long }) => !hidden && !CLUSTER.has(long ?? ''));

const meaningOf = ({ description, argChoices, mandatory }: Option): string => {
  const choices = argChoices === undefined ? '' : `: ${codes(argChoices)}`;
  return `${prose(description)}${choices}${mandatory ? '; required' : ''}`;
};

/** Flags that mean the same to several commands are explained once. */
const flagRows = (commands: readonly Command[]): readonly (readonly string[])[] => {
  const rows = Map.groupBy(
    commands.flatMap((command) => ownOptions(command).map((option) => ({ command, option }))),
    ({ option }) => `${option.flags} ${meaningOf(option)}`,
  );
  return [...rows.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : [[code(first.option.flags), codes(group.map(({ command }) => command.name())), meaningOf(first.option)]];
  });
};

export const companion = (): string => {
  const program = createProgram({ by: 'belay', name: 'belay' });
  const commands = program.commands.filter((command) => !ELSEWHERE.has(command.name()));
  return section(
    'Command line',
    'One program under three names: `belay status`, `kubectl belay status` and `helm lock status` are the same. What wraps Helm is `belay lock upgrade`, `kubectl belay lock upgrade` and, as that plugin is called lock, `helm lock upgrade`.',
    table(
      ['command', 'what it does'],
      commands.map((command) => [usagesOf(command), prose(command.description())]),
    ),
    subsection('Flags', table(['flag', 'of', 'meaning'], flagRows(commands))),
    subsection(
      'Which cluster',
      'Every command but `completion` takes these, by the names of kubectl and of Helm. As a plugin of Helm, Helm takes its own first.',
      table(
        ['flag', 'Helm', 'meaning'],
        CLUSTER_FLAGS.map(({ kubectl, helm, value, help }) => [
          code([kubectl === '--namespace' ? '-n, --namespace' : kubectl, value].filter(Boolean).join(' ')),
          code(helm ?? kubectl),
          prose(help),
        ]),
      ),
    ),
    subsection(
      'helm lock, belay lock',
      ['```text', lockHelp('helm lock').trimEnd(), '```'].join('\n'),
      'Who holds and who waits is in the Lease `belay-lock.<release>`, in the namespace of the release. It belongs to those who use `lock`, and is there only while it is needed.',
      table(
        ['annotation', 'value'],
        Object.entries(LEASE_ANNOTATIONS).map(([key, value]) => [code(key), value]),
      ),
    ),
    subsection(
      'Exit codes',
      'Of the program itself. Once `lock` has run Helm, it ends with the exit code of Helm.',
      table(
        ['code', 'meaning'],
        [
          ['0', 'done, or nothing to do'],
          ...Object.entries(EXIT).map(([name, exit]) => [String(exit), EXIT_CODES[name as keyof typeof EXIT]]),
        ],
      ),
    ),
  );
};
