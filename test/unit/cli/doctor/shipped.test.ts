import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { shippedManifestsText } from '../../../../packaging/shipped-manifests.ts';
import { shippedAt, type Webhook } from '../../../../src/cli/doctor/shipped.ts';
import { VERSION } from '../../../../src/version.ts';

const ROOT = join(import.meta.dirname, '../../../..');

test('the shipped manifests in the program are those of manifests/base', async () => {
  const file = join(ROOT, 'src/cli/doctor/shipped-manifests.json');
  assert.equal(await readFile(file, 'utf8'), await shippedManifestsText(), 'out of date: run `make generate`');
});

test('the version of the program is that of the package', async () => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  assert.equal(VERSION, version);
});

test('for a Belay under other names, all shipped names are replaced', () => {
  const at = shippedAt({ namespace: 'guards', service: 'svc', serviceAccount: 'account' });
  const text = JSON.stringify(at);
  assert.doesNotMatch(text, /belay-system/);
  assert.ok(text.includes('system:serviceaccount:guards:account'));
  const services = [...at.validating, ...at.mutating].map(({ clientConfig }: Webhook) => clientConfig?.service);
  assert.deepEqual([...new Set(services.map((service) => `${service?.namespace}/${service?.name}`))], ['guards/svc']);
  assert.ok(at.clusterRules.length > 0 && at.namespaceRules.length > 0);
});
