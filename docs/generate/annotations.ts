import { CERTIFICATES_SECRET } from '../../src/certificates/secret-name.ts';
import { ROTATE_ANNOTATION, STAGE_ANNOTATION } from '../../src/certificates/store.ts';
import { CLAIM_LABEL } from '../../src/facts/claim-lease.ts';
import { judgeLockChange } from '../../src/policy/judge-lock-change.ts';
import type { LockSource } from '../../src/policy/lock.ts';
import { parseTime } from '../../src/policy/lock-annotations.ts';
import { EXAMPLE_TIME, LOCK_ANNOTATIONS, type LockAnnotation } from './annotation-reference.ts';
import { code, codes, section, subsection, table } from './markdown.ts';

const RECORD: LockSource = { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v1' };

/** An hour before EXAMPLE_TIME, which then lies ahead and within the 24 hours of a maintenance window. */
const NOW_MS = (parseTime(EXAMPLE_TIME) ?? 0) - 3_600_000;

/** The code that judges changes answers here too, so the reference cannot differ from it. */
const verbsOf = (key: LockAnnotation): readonly [write: string, remove: string] => {
  const { example, besides = {} } = LOCK_ANNOTATIONS[key];
  if (example === undefined) return ['Belay alone', 'Belay alone'];
  const written = { ...besides, [key]: example };
  const { verbs } = judgeLockChange({}, written, NOW_MS, RECORD);
  const removal = judgeLockChange(written, besides, NOW_MS, RECORD);
  const remove = removal.problems.length > 0 ? `only with ${codes(Object.keys(besides))}` : codes(removal.verbs);
  return [codes(verbs), remove];
};

const locks = (): string =>
  table(
    ['annotation', 'value', 'stands on', 'meaning', 'verb to write it', 'verb to take it away'],
    (Object.keys(LOCK_ANNOTATIONS) as LockAnnotation[]).map((key) => {
      const { value, standsOn, meaning } = LOCK_ANNOTATIONS[key];
      return [code(key), value, standsOn, meaning, ...verbsOf(key)];
    }),
  );

/** A unit test compares these keys with those of a claim that Belay writes. */
export const CLAIM_ANNOTATIONS: Readonly<Record<string, string>> = {
  'belay.dev/operation': 'What the holder was admitted to do: install, upgrade, rollback or uninstall.',
  'belay.dev/revision': 'The revision that the operation writes.',
  'belay.dev/request-uid': 'The uid of the request by which the operation began, as the audit log has it.',
  'belay.dev/record-version':
    'Of an uninstall: the resourceVersion of the record before it, by which an uninstall that never came is told.',
  'belay.dev/uninstall-refused':
    'Users of the operation whose uninstall was refused since it began, as a JSON list. They delete nothing that it installs.',
  'belay.dev/storage':
    'The kind of the records that it writes: `Secret` or `ConfigMap`. The release is stored in that kind.',
};

const claims = (): string =>
  table(
    ['annotation', 'meaning'],
    Object.entries(CLAIM_ANNOTATIONS).map(([key, meaning]) => [code(key), meaning]),
  );

export const annotations = (): string =>
  section(
    'Annotations',
    'Locks are annotations on the records of a release, or on the Namespace for all releases in it. A lock on any stored revision holds. Belay carries them over to the next revision. A value that cannot be read, a time in the past and an unknown key under `belay.dev/` are refused when they are written.',
    locks(),
    'All records of a release at once are `-l owner=helm,name=<release>`, for instance:',
    '    kubectl annotate secret -n shop -l owner=helm,name=web belay.dev/freeze="black friday, ask #sre"',
    'With the ConfigMap driver of Helm, say `configmap` in place of `secret`.',
    subsection(
      'On claims',
      `While an operation runs, the Lease \`belay.<release>\` beside the records says who holds the release. It carries the label ${code(`${CLAIM_LABEL}=true`)}; \`holderIdentity\` is the user. Only Belay writes it.`,
      claims(),
    ),
    subsection(
      'On the certificates',
      `On the Secret ${code(CERTIFICATES_SECRET)} in Belay's own namespace, see [manifests/README.md](../manifests/README.md#certificates).`,
      table(
        ['annotation', 'meaning'],
        [
          [
            code(ROTATE_ANNOTATION),
            'Written by people, with any value: a new authority, please. Belay takes it away when that is published.',
          ],
          [code(STAGE_ANNOTATION), 'Written by Belay, for people: `steady`, `published` or `switched`.'],
        ],
      ),
    ),
  );
