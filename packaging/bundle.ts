import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

export interface Bundle {
  /** An ES module. */
  readonly contents: Uint8Array;
  /** Files that went into it, from the project's directory on. */
  readonly inputs: readonly string[];
}

/** The webhook and its worker threads stay out: `serve` says where they are instead. */
const withoutServer: Plugin = {
  name: 'without-server',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\/serve\/command\.ts$/ }, () => ({
      path: join(import.meta.dirname, 'serve-elsewhere.ts'),
    }));
  },
};

/** A quarter of a megabyte of error messages in languages that Belay does not speak. */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup: ({ onLoad }) => {
    onLoad({ filter: /node_modules\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

/**
 * An `import` of Node's own modules would be carried out when the file is loaded, wherever in it that stands, and `belay --help` would wait for
 * TLS. What is required is loaded when the part is run that wants it.
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

/** The command line in one file. What a command needs lies in it as functions, which are called when the command runs. */
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
    minify: true, // V8 reads the whole file before it runs any of it: half the size is half of that time.
    legalComments: 'none', // Licences have a file of their own.
    metafile: true,
    plugins: [withoutServer, withoutLocales, lazyBuiltins],
    // What CommonJS packages expect to find, inside of an ES module.
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
  return {
    contents: file.contents,
    inputs: Object.keys(metafile.inputs).filter((input) => !input.startsWith('builtin:')),
  };
};
