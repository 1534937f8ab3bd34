import type { LockVerb } from '../../src/policy/lock.ts';
import { code, section, table } from './markdown.ts';

const OF_LOCKS: Readonly<Record<LockVerb, string>> = {
  lock: 'A lock was written or made stronger: which annotations, with their values.',
  unlock: 'A lock was lifted or made weaker: which annotations.',
  open: 'On a record or a Namespace: a maintenance window was opened. On any other object: it was changed by hand in one, with its reason.',
  break: 'An operation was declared dead, with the reason.',
};

/** A unit test searches the source for keys that are missing here. */
export const AUDIT_ANNOTATIONS: Readonly<Record<string, string>> = {
  'would-refuse':
    'What a rule refused and the policy let pass by `Warn` or `Audit`: the whole message in one line; of several, joined by a bar.',
  trusted: 'The writer is a trusted subject of the policy that is named.',
  unchecked:
    'Belay let the write pass without a verdict, and why: `deadline`, `failure`, `overload`, `costly` (its manifest takes too long to read), `oversized` (what is labelled as its records has too much metadata to read), or a right that it lacks.',
  ...OF_LOCKS,
};

export const auditAnnotations = (): string =>
  section(
    'Audit annotations',
    "On the event of the write in the API server's audit log. The key is `<webhook>/<name>`, such as `objects.belay.dev/would-refuse`; the webhooks are listed in [manifests/README.md](../manifests/README.md#what-each-webhook-is-for). Long values are cut.",
    table(
      ['name', 'meaning'],
      Object.entries(AUDIT_ANNOTATIONS).map(([name, meaning]) => [code(name), meaning]),
    ),
  );
