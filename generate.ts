import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { referenceText } from './docs/generate/reference.ts';
import { chartFiles } from './packaging/chart-files.ts';
import { presetFiles } from './packaging/preset-files.ts';
import { shippedManifestsText } from './packaging/shipped-manifests.ts';
import { releasePolicyCrdText } from './src/policy/crd.ts';

/** Writes the files in the repository that are made from the source. A unit test fails when a file is out of date. */
const files = {
  'manifests/base/release-policy-crd.yaml': releasePolicyCrdText(),
  'src/cli/doctor/shipped-manifests.json': await shippedManifestsText(),
  'docs/reference.md': await referenceText(),
  ...(await chartFiles()),
  ...presetFiles(),
};

for (const [path, text] of Object.entries(files)) {
  await writeFile(join(import.meta.dirname, path), text);
  console.log(path);
}
