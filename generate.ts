import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { releasePolicyCrdText } from './src/policy/crd.ts';

/** Writes what is made of the source and checked in. A unit test tells when that is out of date. */
const files = {
  'manifests/base/release-policy-crd.yaml': releasePolicyCrdText(),
};

for (const [path, text] of Object.entries(files)) {
  await writeFile(join(import.meta.dirname, path), text);
  console.log(path);
}
