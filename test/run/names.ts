import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, relative } from 'node:path';
import * as runner from 'node:test';

/**
 * Prints the name of every test, without running one: `file<tab>suite > test`, in the order of the files. Names that a table makes are among
 * them. `node test/run/names.ts [file...]`; all files if left out.
 */

const PROJECT = join(import.meta.dirname, '..', '..');
const STAND_IN = 'belay:names';

const suites: string[] = [];
let file = '';

type Declaration = readonly [name?: unknown, options?: unknown, body?: unknown];

const bodyOf = (declaration: Declaration) =>
  declaration.find((part): part is () => unknown => part instanceof Function);

const declareTest = (...declaration: Declaration): void => {
  const [name] = declaration;
  console.log(`${file}\t${[...suites, String(name)].join(' > ')}`);
};

const declareSuite = (...declaration: Declaration): void => {
  suites.push(String(declaration[0]));
  bodyOf(declaration)?.();
  suites.pop();
};

const withVariants = <F extends object>(declare: F) =>
  Object.assign(declare, { only: declare, skip: declare, todo: declare });
const ignore = (): void => {};

/** What a test file gets in place of `node:test`: it takes down what is declared. */
const standIn = {
  ...runner,
  ...Object.fromEntries(['before', 'after', 'beforeEach', 'afterEach'].map((hook) => [hook, ignore])),
  ...Object.fromEntries(['test', 'it', 'default'].map((name) => [name, withVariants(declareTest)])),
  ...Object.fromEntries(['describe', 'suite'].map((name) => [name, withVariants(declareSuite)])),
};
Object.assign(globalThis, { belayNames: standIn });

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'node:test' ? { url: STAND_IN, format: 'module', shortCircuit: true } : next(specifier, context),
  load: (url, context, next) => {
    if (url !== STAND_IN) return next(url, context);
    const exports = Object.keys(standIn).map((name) =>
      name === 'default' ? 'export default standIn.default;' : `export const ${name} = standIn.${name};`,
    );
    const source = ['const standIn = globalThis.belayNames;', ...exports].join('\n');
    return { format: 'module', source, shortCircuit: true };
  },
});

const asked = process.argv.slice(2);
const files = asked.length > 0 ? asked : globSync('test/**/*.test.ts', { cwd: PROJECT }).sort();
for (const one of files) {
  const path = join(PROJECT, one);
  file = relative(PROJECT, path);
  await import(path);
}
