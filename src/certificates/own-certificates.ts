/** Keeps the Secret with Belay's own certificates in order, one step at a time. */
import type { Logger } from 'pino';
import { assess, type Circumstances, type Step, type StoredCertificates, stageOf } from './assess.ts';
import type { IssueOptions } from './issue.ts';
import type { Store } from './store.ts';
import { type ServingCertificate, takeStep } from './take-step.ts';

export interface OwnOptions {
  readonly store: Store;
  readonly circumstances: Omit<Circumstances, 'bundleForMs'>;
  /** For how long this process has seen the same bundle in the Secret. Its text; undefined for no bundle. */
  readonly bundleForMs: (bundle: string | undefined) => number;
  readonly issue: IssueOptions;
  readonly served: ServingCertificate | undefined;
  readonly log: Logger;
  readonly signal?: AbortSignal;
}

export interface Kept {
  readonly certificate: ServingCertificate;
  readonly took?: Step;
}

const SAYS: Readonly<Record<Step, string>> = {
  renew: 'renewed the serving certificate',
  publish: 'published the next authority; it signs when every API server has heard of it',
  switch: 'the next authority signs from now on',
  prune: 'the authority before is trusted no more',
  replace: 'made a new authority and a new serving certificate at once',
};

/**
 * Takes the step that is due. Resolves to what the Secret then holds. Every replica may take the step. A second create (AlreadyExists), or a write
 * over a Secret that has changed meanwhile (Conflict), rejects. The caller then starts again.
 */
export const keepOwn = async (options: OwnOptions): Promise<Kept> => {
  const { store, issue, served, log, signal, circumstances } = options;
  const found = await store.read(signal);
  if (found === undefined) {
    const contents = await takeStep('replace', undefined, served, issue);
    await store.create(contents, signal);
    log.info(served === undefined ? 'made a certificate authority and a serving certificate' : SAYS.replace);
    return { certificate: servingOf(contents), took: 'replace' };
  }
  const { contents } = found;
  const bundleForMs = options.bundleForMs(stageOf(contents) === 'switched' ? contents.ca : undefined);
  const verdict = assess(contents, { ...circumstances, bundleForMs });
  if (verdict.state === 'good') return { certificate: servingOf(contents) };
  const changed = await takeStep(verdict.state, contents, served, issue);
  await store.replace(found, changed, signal);
  log[verdict.state === 'replace' ? 'warn' : 'info']({ why: verdict.why }, SAYS[verdict.state]);
  return { certificate: servingOf(changed), took: verdict.state };
};

const servingOf = ({ ca = '', cert = '', key = '' }: StoredCertificates): ServingCertificate => ({
  ca,
  cert,
  key,
});
