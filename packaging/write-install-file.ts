import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installFile } from './install-file.ts';
import { ROOT } from './product.ts';

/** `make install-file`: IMAGE is the image that the Deployment runs. */
const file = join(ROOT, 'dist/install.yaml');
await mkdir(dirname(file), { recursive: true });
await writeFile(file, await installFile(process.env.IMAGE || undefined));
console.log('dist/install.yaml');
