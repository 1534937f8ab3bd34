import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { licencesOf } from './packaging/licences.ts';

/** Bundles Belay into dist/: `belay.js` to run, the files that its commands load, and its worker threads. */
const root = import.meta.dirname;
const outdir = join(root, 'dist');

const { outputFiles, metafile } = await build({
  entryPoints: {
    belay: join(root, 'src/main.ts'),
    'decode-worker': join(root, 'src/helm/decode-worker.ts'),
    // Piscina starts its threads with this file, which it looks for beside itself.
    worker: join(root, 'node_modules/piscina/dist/worker.js'),
  },
  outdir,
  absWorkingDir: root, // The same bytes, wherever it is run from.
  metafile: true,
  legalComments: 'none', // Licences have a file of their own.
  bundle: true,
  splitting: true, // `belay --help` reads 0.1 MB in place of 5.
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // A native module. Piscina needs it only for threads of lower priority, which Belay does not have.
  external: ['@napi-rs/nice'],
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

await mkdir(outdir, { recursive: true });
for (const { path, contents } of outputFiles) {
  // Renamed into place: a Belay that runs from here never reads half a file.
  const unfinished = join(outdir, `.${basename(path)}.${process.pid}`);
  await writeFile(unfinished, contents);
  if (basename(path) === 'belay.js') await chmod(unfinished, 0o755);
  await rename(unfinished, path);
}

await writeFile(join(outdir, 'THIRD-PARTY-LICENCES.txt'), await licencesOf(Object.keys(metafile.inputs)));

const current = new Set(outputFiles.map(({ path }) => basename(path)));
for (const file of await readdir(outdir)) {
  if (/^[\w-]+\.js$/.test(file) && !current.has(file)) await rm(join(outdir, file), { force: true });
}
