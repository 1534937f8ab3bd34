import type { RecordKind } from '../rules/verdict.ts';
import { type ManifestDocument, parseManifest } from './manifest.ts';
import { changedParts, decodePayload, PayloadError, type PayloadSummary, summarize } from './payload.ts';

/** A job for the worker thread: payloads are decoded off the event loop, and only the answer comes back. */
export type DecodeJob =
  | { readonly want: 'summary'; readonly kind: RecordKind; readonly payload: string }
  | { readonly want: 'comparison'; readonly kind: RecordKind; readonly before: string; readonly after: string }
  | { readonly want: 'documents'; readonly kind: RecordKind; readonly payload: string };

export interface DecodeResults {
  readonly summary: { readonly summary: PayloadSummary };
  /** `changed` names the parts (chart, config, manifest) that differ; undefined where `before` could not be read. */
  readonly comparison: {
    readonly before: PayloadSummary | undefined;
    readonly after: PayloadSummary;
    readonly changed: readonly string[] | undefined;
  };
  readonly documents: { readonly summary: PayloadSummary; readonly documents: readonly ManifestDocument[] };
}

/** Errors lose their class on the way between threads, so an unreadable payload comes back as a value. */
export type DecodeAnswer<Want extends DecodeJob['want']> =
  | { readonly readable: true; readonly result: DecodeResults[Want] }
  | { readonly readable: false; readonly problem: string };

const perform = (job: DecodeJob): DecodeResults[DecodeJob['want']] => {
  switch (job.want) {
    case 'summary':
      return { summary: summarize(decodePayload(job.payload, job.kind)) };
    case 'documents': {
      const payload = decodePayload(job.payload, job.kind);
      const manifest = typeof payload.manifest === 'string' ? payload.manifest : '';
      return { summary: summarize(payload), documents: parseManifest(manifest) };
    }
    case 'comparison': {
      const after = decodePayload(job.after, job.kind);
      try {
        const before = decodePayload(job.before, job.kind);
        return { before: summarize(before), after: summarize(after), changed: changedParts(before, after) };
      } catch (error) {
        if (!(error instanceof PayloadError)) throw error;
        return { before: undefined, after: summarize(after), changed: undefined };
      }
    }
  }
};

export default (job: DecodeJob): DecodeAnswer<DecodeJob['want']> => {
  try {
    return { readable: true, result: perform(job) };
  } catch (error) {
    if (error instanceof PayloadError) return { readable: false, problem: error.message };
    throw error;
  }
};
