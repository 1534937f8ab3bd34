import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { PackageFile } from './package-file.ts';

/**
 * The time of every entry, as in npm's archives. It is not 1970: tools that go by way of zip know no year before 1980.
 * https://github.com/npm/pacote/blob/main/lib/util/tar-create-options.js
 */
const MODIFIED = new Date('1985-10-26T08:15:00Z');

/** A .tar.gz whose bytes depend on the files alone. `directory` stands before every path; Helm 3 wants none, npm and Helm 4 want one. */
export const archiveOf = async (files: readonly PackageFile[], directory?: string): Promise<Buffer> => {
  const tar = pack();
  const prefix = directory === undefined ? '' : `${directory}/`;
  const owner = { mtime: MODIFIED, uid: 0, gid: 0 };
  // Helm 3 does not make directories that the archive does not name.
  const directories = new Set(files.flatMap(({ path }) => directoriesOf(`${prefix}${path}`)));
  for (const name of [...directories].sort()) tar.entry({ ...owner, name: `${name}/`, type: 'directory', mode: 0o755 });
  for (const { path, contents, executable } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))
    tar.entry({ ...owner, name: `${prefix}${path}`, mode: executable ? 0o755 : 0o644 }, Buffer.from(contents));
  tar.finalize();
  return gzipSync(await buffer(tar), { level: 9 });
};

/** `a/b/c` -> `a`, `a/b` */
const directoriesOf = (path: string): readonly string[] => {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
};
