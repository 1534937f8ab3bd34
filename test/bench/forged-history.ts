import { gzipSync } from 'node:zlib';
import type { ReleaseName } from '../../src/helm/names.ts';
import type { ApiClient } from '../cluster/harness/api-client.ts';

/** Releases with a history, as Helm leaves them: records alone, by the ten thousand. */

/** On their namespaces, for the webhooks' selectors: Belay is not asked while they are stored. */
export const FORGED_LABEL = 'bench.belay.dev/forged';

const RELEASES_A_NAMESPACE = 50;
/** Names that every team has: each is in all namespaces. */
const COMMON_NAMES = ['redis', 'postgresql', 'ingress-nginx', 'external-dns', 'vault-agent'];

const namespaceAt = (index: number): string =>
  `team-${String(Math.floor(index / RELEASES_A_NAMESPACE)).padStart(3, '0')}`;

/** Ten in a hundred share their name with one in each other namespace; the others have one of their own. */
export const forgedReleases = (count: number): readonly ReleaseName[] =>
  Array.from({ length: count }, (_, index) => {
    const common = COMMON_NAMES[index % RELEASES_A_NAMESPACE];
    return { namespace: namespaceAt(index), name: common ?? `checkout-service-${index}` };
  });

/** Text that gzip does not make smaller, so that a payload is of some KiB when it is stored, as that of a small chart. */
const TEMPLATE_CHARACTERS = 4_000;

let seed = 1;
const chance = (): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed;
};
const TEMPLATE = Array.from({ length: TEMPLATE_CHARACTERS }, () => String.fromCharCode(33 + (chance() % 90))).join('');

const recordOf = ({ namespace, name }: ReleaseName, revision: number, status: string): object => {
  const payload = {
    name,
    info: { status },
    chart: { metadata: { name: 'shop', version: `1.4.${revision}` }, templates: [{ data: TEMPLATE }] },
    manifest: `---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  revision: "${revision}"\n`,
    version: revision,
    namespace,
  };
  const release = gzipSync(JSON.stringify(payload), { level: 1 }).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v${revision}`,
      labels: { owner: 'helm', name, status, version: String(revision), modifiedAt: String(1_767_225_600 + revision) },
    },
    stringData: { release },
  };
};

export const forgeNamespace = (client: ApiClient, name: string): Promise<unknown> =>
  client.send('POST', '/api/v1/namespaces', { metadata: { name, labels: { [FORGED_LABEL]: 'yes' } } });

/** Stores so many revisions, the last one deployed. */
export const forgeHistory = async (client: ApiClient, release: ReleaseName, revisions: number): Promise<void> => {
  for (let revision = 1; revision <= revisions; revision += 1) {
    const record = recordOf(release, revision, revision === revisions ? 'deployed' : 'superseded');
    await client.send('POST', `/api/v1/namespaces/${release.namespace}/secrets?fieldManager=Helm`, record);
  }
};
