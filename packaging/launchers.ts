import type { PackageFile } from './package-file.ts';
import type { Product } from './product.ts';

/**
 * What stands between the user's Node and the program, so that one that is missing or too old ends in one line: the program is a file that
 * an old Node cannot even parse.
 */

interface Start {
  /** Name of the file. */
  readonly path: string;
  /** The name by which the program takes itself to be called; that of the file unless told. */
  readonly calledAs?: string;
  /** Arguments before those of the user. */
  readonly args?: readonly string[];
  /** Where belay.mjs lies, from this file on. */
  readonly program: string;
}

/** In words that every Node since 2017 understands, and in CommonJS whatever a package.json further up says. */
export const nodeLauncher = (
  { node: [major, minor] }: Product,
  { path, calledAs, args = [], program }: Start,
): PackageFile => ({
  path,
  executable: true,
  contents: `#!/usr/bin/env node
'use strict';
var version = process.versions.node.split('.').map(Number);
if (version[0] < ${major} || (version[0] === ${major} && version[1] < ${minor})) {
  console.error('Error: belay needs Node ${major}.${minor} or newer, and this is ' + process.versions.node + ' (' + process.execPath + ')');
  process.exit(1);
}
var path = require('path');
// Beside the program: whoever may write there may change the program as well. Where nobody may, it starts without a cache.
require('module').enableCompileCache(path.join(__dirname, '.compile-cache'));
${[
  ...(calledAs === undefined ? [] : [`process.argv[1] = path.join(__dirname, '${calledAs}');`]),
  ...(args.length === 0 ? [] : [`process.argv.splice(2, 0, ${args.map((arg) => `'${arg}'`).join(', ')});`]),
  `import('${program}');`,
].join('\n')}
`,
});

/** For who is called by the name of a file, without an extension: Helm, and kubectl by way of the PATH. */
export const shellLauncher = (
  { node: [major, minor] }: Product,
  { path, start, args = [] }: { readonly path: string; readonly start: string; readonly args?: readonly string[] },
): PackageFile => ({
  path,
  executable: true,
  contents: `#!/bin/sh
file=$0
# krew, and people, link to this file; the program lies beside the file itself.
while [ -L "$file" ]; do
  link=$(readlink "$file")
  case $link in
    /*) file=$link ;;
    *) file=\${file%/*}/$link ;;
  esac
done
case $file in
  */*) dir=\${file%/*} ;;
  *) dir=. ;;
esac
if ! command -v node > /dev/null 2>&1; then
  echo 'Error: belay needs Node ${major}.${minor} or newer, and there is no node on the PATH' >&2
  exit 127
fi
exec node "$dir/${start}" ${args.map((arg) => `${arg} `).join('')}"$@"
`,
});

/** The same for Windows. It has never been run: there was no Windows to run it on. */
export const windowsLauncher = (
  { node: [major, minor] }: Product,
  { path, start }: { readonly path: string; readonly start: string },
): PackageFile => ({
  path,
  contents: [
    '@echo off',
    'where node >nul 2>nul',
    'if errorlevel 1 (',
    `  echo Error: belay needs Node ${major}.${minor} or newer, and there is no node on the PATH 1>&2`,
    '  exit /b 127',
    ')',
    `node "%~dp0${start}" %*`,
    '',
  ].join('\r\n'),
});
