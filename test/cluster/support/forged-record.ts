import { gzipSync } from 'node:zlib';

/** A record as Helm would store it, without Helm's second and a half for each. */
export const forgedRecord = (
  namespace: string,
  release: string,
  revision: number,
  status: string,
  info: object = {},
): object => {
  const payload = {
    name: release,
    namespace,
    version: revision,
    info: { status, ...info },
    chart: { metadata: { name: 'shop', version: '1.4.0' } },
    config: {},
    manifest: '',
  };
  const once = gzipSync(JSON.stringify(payload)).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: forgedName(release, revision),
      namespace,
      labels: { owner: 'helm', name: release, version: String(revision), status },
    },
    data: { release: Buffer.from(once).toString('base64') },
  };
};

export const forgedName = (release: string, revision: number): string => `sh.helm.release.v1.${release}.v${revision}`;
