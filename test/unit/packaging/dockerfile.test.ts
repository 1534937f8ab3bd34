import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { openContext } from '../../cluster/support/carry-out.ts';
import { readDockerfile } from '../../cluster/support/dockerfile.ts';

/** The Dockerfile has to agree with other files. test/cluster/image.test.ts shows that the image works. */

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

const stages = await readDockerfile(join(ROOT, 'Dockerfile'));
const image = stages.at(-1) ?? assert.fail('no stage');

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
        readonly containers: readonly [
          { readonly ports: readonly { readonly containerPort: number }[]; readonly args: readonly string[] },
        ];
      };
    };
  };
}

test('the image has the Node that everything is tested with', async () => {
  const { devDependencies } = JSON.parse(await read('package.json')) as { devDependencies: { node: string } };
  assert.equal(stages[0]?.image, `node:${devDependencies.node}-bookworm-slim`);
});

test('nothing but the build stage comes from elsewhere, and that from no registry by name', () => {
  assert.deepEqual(
    stages.map((stage) => stage.image.replace(/:.*/, '')),
    ['node', 'scratch'],
  );
});

test('the image and the Deployment agree on the user, the ports and the command', async () => {
  const deployment = parse(await read('manifests/base/deployment.yaml')) as Deployment;
  const { securityContext, containers } = deployment.spec.template.spec;
  assert.equal(image.user, `${securityContext.runAsUser}:${securityContext.runAsGroup}`);
  assert.deepEqual(
    image.ports,
    containers[0].ports.map(({ containerPort }) => containerPort),
  );
  assert.deepEqual(containers[0].args, image.command);
});

test('the tests on a control plane run Belay with the flags of the image', async () => {
  const flags = image.entrypoint.slice(1, -1);
  const launch = /args: \[\n\s*\/\/ As in the Dockerfile\.\n([\s\S]*?)join\(/.exec(
    await read('test/cluster/harness/belay.ts'),
  );
  assert.deepEqual(
    [...(launch?.[1] ?? '').matchAll(/'(--[^']+)'/g)].map(([, flag]) => flag),
    flags,
  );
});

test('the image says what it is, of which version and revision', () => {
  for (const name of ['title', 'description', 'licenses', 'version', 'revision'])
    assert.ok(image.labels[`org.opencontainers.image.${name}`], name);
});

test('the context holds what is copied, and neither what was installed or built here, nor keys, nor history', async () => {
  const isInContext = await openContext(ROOT);
  const copied = stages.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'copy' && step.from === undefined ? step.sources : [])),
  );
  assert.ok(copied.includes('src'));
  for (const source of copied) assert.ok(isInContext(source) && existsSync(join(ROOT, source)), source);
  for (const path of ['node_modules', 'dist', '.git', '.cluster', 'certs', 'test', 'certs/ca.key', '.env', '.npmrc'])
    assert.equal(isInContext(path), false, path);
});
