import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { section } from './markdown.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** The help of the program itself. POD_NAMESPACE is unset, because it is the default of a flag. A pipe has no width, so the help has 80 columns. */
export const serveFlags = async (): Promise<string> => {
  const { POD_NAMESPACE: _namespace, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'serve', '--help'], { env });
  return section(
    'Flags of belay serve',
    ['```text', stdout.trimEnd(), '```'].join('\n'),
    'From the environment: `POD_NAMESPACE` is the default of `--namespace`, and `POD_NAME` is the instance that Events name.',
  );
};
