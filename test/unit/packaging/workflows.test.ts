import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

/** The workflows as GitHub reads them (by its own parser), and what they run here. */

const ROOT = join(import.meta.dirname, '../../..');
const DIR = join(ROOT, '.github/workflows');

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly 'timeout-minutes'?: number;
  readonly needs?: string | readonly string[];
  readonly steps: readonly { readonly run?: string; readonly uses?: string }[];
}

// GitHub's parser imports JSON as bundlers understand it and Node does not.
registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    return resolved.url.endsWith('.json') ? { ...resolved, importAttributes: { type: 'json' } } : resolved;
  },
});
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser');

const makefile = await readFile(join(ROOT, 'Makefile'), 'utf8');

for (const file of await readdir(DIR)) {
  const text = await readFile(join(DIR, file), 'utf8');
  const workflow = parse(text, { merge: true }) as Workflow;
  const jobs = Object.entries(workflow.jobs);

  test(`GitHub can read ${file}`, async () => {
    const { context, value } = parseWorkflow({ name: file, content: text }, new NoOperationTraceWriter());
    assert.ok(value, context.errors.getErrors().join('\n'));
    const template = await convertWorkflowTemplate(context, value);
    assert.deepEqual(context.errors.getErrors(), []);
    assert.deepEqual(
      template.jobs.map(({ id }) => String(id)),
      jobs.map(([name]) => name),
    );
  });

  test(`every command of the project that ${file} runs is there`, () => {
    const runs = jobs.flatMap(([, { steps }]) => steps.flatMap(({ run }) => (run === undefined ? [] : [run])));
    const targets = runs.flatMap((run) =>
      [...run.matchAll(/^make (.+)$/gm)].flatMap(([, words = '']) =>
        words.split(' ').filter((word) => !word.includes('=')),
      ),
    );
    const scripts = runs.flatMap((run) => [...run.matchAll(/^(\.ci\/\S+)/gm)].map(([, path = '']) => path));
    assert.ok(targets.length + scripts.length > 0);
    for (const target of targets) assert.match(makefile, new RegExp(`^${target}:`, 'm'));
    for (const script of scripts) assert.ok(existsSync(join(ROOT, script)), script);
  });

  test(`${file} runs actions of exactly one commit, with no rights but those that it names, and never for ever`, () => {
    const uses = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line));
    assert.ok(uses.length > 0);
    for (const line of uses) assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    assert.deepEqual(workflow.permissions, { contents: 'read' });
    for (const [name, job] of jobs) assert.ok((job['timeout-minutes'] ?? Number.POSITIVE_INFINITY) <= 90, name);
  });
}

test('nothing is released that was not tested', async () => {
  const { jobs } = parse(await readFile(join(DIR, 'release.yml'), 'utf8'), { merge: true }) as Workflow;
  const needed = (name: string): readonly string[] => {
    const needs = [jobs[name]?.needs ?? []].flat();
    return [...needs, ...needs.flatMap(needed)];
  };
  for (const name of Object.keys(jobs)) if (name !== 'test') assert.ok(needed(name).includes('test'), name);
  assert.ok(jobs.test?.steps.some(({ run }) => run === '.ci/run'));
});
