import { renderShop, SHOP, toManifest, type Values } from './chart.ts';
import { documentsOf, type Steps } from './helm.ts';
import { type HelmClient, HelmError, newPayload } from './helm-client.ts';

/**
 * The order of writes of nelm 1.24 (werf). It differs from Helm's at the ends: the new revision becomes deployed and the old one superseded
 * by two writes that do not wait for each other, and an uninstall deletes the newest record first.
 */
export type EndsOfNelm = 'together' | 'deployed first' | 'superseded first';

export async function* upgradeByNelm(client: HelmClient, release: string, values: Values, ends: EndsOfNelm): Steps {
  const revisions = await client.revisions(release);
  const current = revisions.findLast(({ status }) => status === 'deployed');
  const documents = renderShop(release, values);
  const what = { chart: SHOP, config: values, manifest: toManifest(documents) };
  const revision = (revisions.at(-1)?.revision ?? 0) + 1;
  const status = current === undefined ? 'pending-install' : 'pending-upgrade';
  const next = newPayload(client, release, revision, status, what);
  await client.createRecord(next);
  yield 'hook';
  for (const document of documents) await client.writeObject(document, release);
  const deploy = () => client.updateRecord(next, 'deployed');
  const supersede = async () => current && client.updateRecord(current.payload, 'superseded');
  if (ends === 'together') {
    await Promise.all([deploy(), supersede()]);
    return;
  }
  const [first, second] = ends === 'deployed first' ? [deploy, supersede] : [supersede, deploy];
  await first();
  yield 'hook';
  await second();
}

export async function* uninstallByNelm(client: HelmClient, release: string): Steps {
  const revisions = await client.revisions(release);
  const last = revisions.at(-1);
  if (last === undefined) throw new HelmError('release: not found');
  await client.updateRecord(last.payload, 'uninstalling', { deleted: client.now() });
  yield 'hook';
  for (const document of documentsOf(last.payload).toReversed()) await client.deleteObject(document);
  for (const { revision } of revisions.toReversed()) await client.deleteRecord(release, revision);
}
