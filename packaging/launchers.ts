import type { PackageFile } from './package-file.ts';
import type { Product } from './product.ts';

/**
 * The launchers check the user's Node before they start the program. An old Node could not even parse the program, and the user would see no
 * clear message.
 */

interface Start {
  /** Name of the file. */
  readonly path: string;
  /** The name that the program sees as its own; by default the name of the file. */
  readonly calledAs?: string;
  /** Arguments before the user's arguments. */
  readonly args?: readonly string[];
  /** The path of belay.mjs, relative to this file. */
  readonly program: string;
}

/** Uses only syntax of Node since 2017, and CommonJS whatever a package.json further up says. */
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

/** A launcher without an extension. Helm and kubectl call a file by its name. */
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

/** The launcher for Windows. It has never been run, because there was no Windows to run it on. */
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
