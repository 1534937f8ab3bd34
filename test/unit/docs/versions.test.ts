import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseKubernetes, kubernetesVersions } from '../../cluster/harness/kubernetes-versions.ts';

/** The Kubernetes that Belay claims to support is the one that it is tested on. */

const ROOT = join(import.meta.dirname, '../../..');
const oldest = kubernetesVersions.at(-1)?.name;

const claims = {
  'README.md': /Kubernetes (\d+\.\d+) or newer/,
  Makefile: /^oldest := (\d+\.\d+)$/m,
  '.github/workflows/ci.yml': /BELAY_KUBERNETES: "(\d+\.\d+)"/,
} as const;

for (const [file, claim] of Object.entries(claims)) {
  test(`${file} names the oldest Kubernetes that there are tests on`, async () => {
    assert.equal(claim.exec(await readFile(join(ROOT, file), 'utf8'))?.[1], oldest);
  });
}

test('an unknown version of Kubernetes is refused with a list of the known ones', () => {
  assert.throws(() => chooseKubernetes('1.2'), {
    message: /^BELAY_KUBERNETES=1\.2: there is 1\.\d+ and 1\.30, without it /,
  });
  assert.equal(chooseKubernetes('1.30').minor, 30);
  assert.equal(chooseKubernetes(''), kubernetesVersions[0]);
});
