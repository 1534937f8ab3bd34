import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { parse } from 'yaml';
import type { Invocation } from '../../../src/cli/invocation.ts';
import { moveLeadingFlags } from '../../../src/cli/leading-flags.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { parseCommandLine } from '../../../src/cli/turn/parse-command-line.ts';

/** The commands in docs/pipelines.md and docs/migrating.md are parsed by the program itself. */

const DOCS = join(import.meta.dirname, '../../../docs');

const INVOCATIONS: Readonly<Record<string, Invocation>> = {
  'helm lock': { by: 'helm', name: 'helm lock' },
  'kubectl belay': { by: 'kubectl', name: 'kubectl belay' },
  belay: { by: 'belay', name: 'belay' },
};

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocksIn = (document: string): readonly Block[] =>
  [...document.matchAll(/^( *)```(\w+)\n(.*?)^\1```$/gms)].map(([, indent = '', language = '', text = '']) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));

/** In blocks and in the text, up to what ends a command in a shell. */
const COMMAND = /(?<![\w/.-])(helm lock|kubectl belay|belay) ((?:"[^"]*"|[^\n"'`|;#&()])+)/g;

/** `a "b c"` -> a, b c */
const toWords = (line: string): readonly string[] =>
  [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));

const commandsIn = (document: string): readonly (readonly [caller: string, args: readonly string[]])[] => {
  const spans = [...document.replaceAll(/^( *)```\w+\n.*?^\1```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, span = '']) => span,
  );
  const texts = [...blocksIn(document).map(({ text }) => text), ...spans];
  return texts.flatMap((text) =>
    [...text.replaceAll('\\\n', ' ').matchAll(COMMAND)]
      .map(([, caller = '', rest = '']) => [caller, toWords(rest)] as const)
      // `helm lock upgrade ... --x` leaves out what is of no concern; `belay open` alone names the command.
      .filter(([, args]) => args.length > 1 && !args.includes('...')),
  );
};

/** As commander reads it, without doing it. */
const read = async (caller: string, args: readonly string[]): Promise<void> => {
  const invocation = INVOCATIONS[caller];
  assert.ok(invocation);
  const program: Command = createProgram(invocation).configureOutput({ writeErr: () => undefined });
  for (const command of program.commands) command.exitOverride().action(() => undefined);
  const [first = '', ...rest] = moveLeadingFlags(args);
  if (invocation.by !== 'helm' && first === 'lock') {
    parseCommandLine(rest);
    return;
  }
  const ours = program.commands.find((command) => command.name() === first);
  if (invocation.by === 'helm' && (ours === undefined || ours.registeredArguments[0]?.name() === 'args')) {
    const { releases, unlocked, unknown } = parseCommandLine(args);
    assert.deepEqual({ unlocked, unknown }, { unlocked: undefined, unknown: [] });
    assert.ok(releases.length > 0);
    return;
  }
  await program.parseAsync([first, ...rest], { from: 'user' });
};

for (const name of ['pipelines.md', 'migrating.md']) {
  const document = await readFile(join(DOCS, name), 'utf8');
  const blocks = blocksIn(document);

  describe(`docs/${name}`, () => {
    const commands = commandsIn(document);
    test('has commands', () => assert.ok(commands.length >= 8, `${commands.length}`));
    for (const [caller, args] of commands) test(`${caller} ${args.join(' ')}`, () => read(caller, args));

    for (const [at, { language, text }] of blocks.entries()) {
      if (language === 'yaml') test(`block ${at + 1} is YAML`, () => assert.equal(typeof parse(text), 'object'));
      if (language === 'sh')
        test(`block ${at + 1} is shell`, () => {
          const { status, stderr } = spawnSync('sh', ['-n'], { input: text });
          assert.equal(status, 0, String(stderr));
        });
    }
  });
}

test('the steps of the workflow for GitHub are shell', async () => {
  const blocks = blocksIn(await readFile(join(DOCS, 'pipelines.md'), 'utf8'));
  const workflow = blocks.find(({ text }) => text.startsWith('# .github/'));
  const { jobs } = parse(workflow?.text ?? '') as { jobs: { web: { steps: readonly { run?: string }[] } } };
  const scripts = jobs.web.steps.flatMap(({ run }) => run ?? []);
  assert.equal(scripts.length, 3);
  for (const script of scripts) assert.equal(spawnSync('bash', ['-n'], { input: script }).status, 0, script);
});

test('the exit codes are those of the program', async () => {
  const { EXIT } = await import('../../../src/cli/failure.ts');
  const document = await readFile(join(DOCS, 'pipelines.md'), 'utf8');
  const told = [...document.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(told, [0, ...Object.values(EXIT)]);
});
