import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/** Nine objects of a megabyte each, labelled as records of a release, are more than a review reads. Everybody may store them who may write Secrets. */

const MEGABYTE = 1024 * 1024;

const JUNK: Readonly<Record<string, object>> = {
  finalizers: { finalizers: [`example.com/${'x'.repeat(MEGABYTE)}`] },
  annotations: { annotations: { junk: 'x'.repeat(MEGABYTE) } },
  'other labels': { labels: { junk: 'x'.repeat(MEGABYTE) } },
};

describe('a release with junk among its records', () => {
  let shop: MemoryPlane;
  beforeEach(async () => {
    shop = await memoryPlane();
    await shop.helm.install('web');
  });
  afterEach(() => shop.stop());

  const litter = async (release: string, metadata: Readonly<Record<string, unknown>>): Promise<void> => {
    const mallory = shop.as('mallory');
    for (let index = 0; index < 9; index += 1) {
      const labels = { owner: 'helm', name: release, ...(metadata.labels as object | undefined) };
      succeeds(
        await mallory.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { ...metadata, name: `junk-${index}`, namespace: 'shop', labels },
        }),
      );
    }
  };

  for (const [what, metadata] of Object.entries(JUNK))
    test(`${what}: the guard of its objects stays up`, async () => {
      await litter('web', metadata as Readonly<Record<string, unknown>>);
      const mallory = shop.as('mallory');
      isDenied(await untouched(shop, () => mallory.patch('deployment/web', { spec: { replicas: 9 } })), 'BelayDrift');
      isDenied(await untouched(shop, () => mallory.delete('service/web')), 'BelayDrift');
    });

  test('nothing of it passes while it is frozen', async () => {
    await shop.freeze('web');
    await litter('web', JUNK.finalizers as Readonly<Record<string, unknown>>);
    const mallory = shop.as('mallory');
    isDenied(await untouched(shop, () => mallory.patch('deployment/web', { spec: { replicas: 9 } })), 'BelayFrozen');
  });

  test('an upgrade is refused, in words that say what to look for', async () => {
    await litter('web', JUNK.finalizers as Readonly<Record<string, unknown>>);
    const outcome = await shop.helm.upgrade('web');
    isDenied(outcome, 'BelayUnavailable', /kubectl get secrets,configmaps -l owner=helm/);
  });

  test('other releases of the namespace, and a chart’s own objects with the label, go on', async () => {
    await litter('web', JUNK.finalizers as Readonly<Record<string, unknown>>);
    succeeds(await shop.helm.install('api'));
    const own = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: 'shop', labels: { owner: 'helm' } },
    };
    succeeds(await shop.as('dev').create(own));
    succeeds(await shop.helm.upgrade('api'));
  });
});
