import type { createCertificateSource } from '../certificates/certificate-source.ts';
import type { Policies } from '../facts/policies.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { ReadinessCheck } from '../server/app.ts';
import type { Drain } from '../server/drain.ts';
import type { Cluster } from './connect-to-cluster.ts';

export interface ReadinessSources {
  readonly source: Pick<ReturnType<typeof createCertificateSource>, 'current' | 'isInjected' | 'problem'>;
  readonly index: Pick<ReleaseIndex, 'isSynced'>;
  readonly policies: Pick<Policies, 'isSynced'>;
  readonly reachability: Pick<Cluster['reachability'], 'isCutOff'>;
  readonly drain: Pick<Drain, 'check'>;
}

/** What /readyz lists. */
export const readinessChecks = (sources: ReadinessSources): readonly ReadinessCheck[] => {
  const { source, index, policies, reachability, drain } = sources;
  return [
    { name: 'certificate', ok: source.current() !== undefined, detail: `there is none yet: ${source.problem()}` },
    { name: 'ca-bundle', ok: source.isInjected(), detail: 'the webhook configurations do not carry the caBundle yet' },
    { name: 'index', ok: index.isSynced(), detail: 'the records have not all been listed yet' },
    { name: 'policies', ok: policies.isSynced(), detail: 'the policies have not all been listed yet' },
    {
      name: 'api-server',
      ok: !reachability.isCutOff(),
      detail: 'the API server asks for decisions, and does not answer this replica',
    },
    drain.check(),
  ];
};
