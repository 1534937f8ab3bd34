import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

export interface Bundle {
  /** An ES module. */
  readonly contents: Uint8Array;
  /** The bundled files, relative to the project's directory. */
  readonly inputs: readonly string[];
}

/** Leaves out the webhook and its worker threads. `serve` then says where the webhook is. */
const withoutServer: Plugin = {
  name: 'without-server',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\/serve\/command\.ts$/ }, () => ({
      path: join(import.meta.dirname, 'serve-elsewhere.ts'),
    }));
  },
};

/** Leaves out a quarter of a megabyte of error messages in languages that Belay does not use. */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup: ({ onLoad }) => {
    onLoad({ filter: /node_modules\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

/**
 * Loads Node's own modules only when they are used. All `import`s of a bundle run when it is loaded, so `belay --help` would load TLS. A
 * `require` runs when the part that contains it runs.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

/** The command line in one file. The code of each command is a function in it, which runs when the command runs. */
export const bundleCompanion = async (): Promise<Bundle> => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(ROOT, 'src/main.ts')],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    outfile: 'belay.mjs',
    format: 'esm',
    platform: 'node',
    target: 'node22.19', // `engines` in package.json
    minify: true, // V8 reads the whole file before it runs: half the size takes half the time.
    legalComments: 'none', // Licences have a file of their own.
    metafile: true,
    plugins: [withoutServer, withoutLocales, lazyBuiltins],
    // CommonJS packages expect these names, which an ES module does not have.
    banner: {
      js: [
        "import { createRequire as belayCreateRequire } from 'node:module';",
        'const require = belayCreateRequire(import.meta.url);',
        'const __filename = import.meta.filename;',
        'const __dirname = import.meta.dirname;',
      ].join('\n'),
    },
    logLevel: 'warning',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild has made nothing');
  if ('src/serve.ts' in metafile.inputs)
    throw new Error('the webhook has got into the command line: see withoutServer');
  return {
    contents: file.contents,
    inputs: Object.keys(metafile.inputs).filter((input) => !input.startsWith('builtin:')),
  };
};
