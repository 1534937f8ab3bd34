import type * as locks from '../../src/policy/lock-annotations.ts';
import { MAX_OPEN_MS } from '../../src/policy/lock-annotations.ts';

/** Every key that lock-annotations.ts exports. A new key does not compile until LOCK_ANNOTATIONS explains it. */
export type LockAnnotation = Extract<(typeof locks)[keyof typeof locks], `belay.dev/${string}`>;

/** What docs/reference.md says about an annotation. */
export interface AnnotationEntry {
  /** The values that it takes, in words. */
  readonly value: string;
  /** A valid value; undefined where only Belay writes the annotation. */
  readonly example: string | undefined;
  /** Annotations that have to be written together with the example. */
  readonly besides?: Partial<Readonly<Record<LockAnnotation, string>>>;
  readonly standsOn: 'a record, or a Namespace' | 'a pending or uninstalling record';
  readonly meaning: string;
}

/** The time in examples. docs/generate/annotations.ts checks them as if it were an hour earlier. */
export const EXAMPLE_TIME = '2026-12-01T08:00:00Z';

const EVERYWHERE = 'a record, or a Namespace';

export const LOCK_ANNOTATIONS: Readonly<Record<LockAnnotation, AnnotationEntry>> = {
  'belay.dev/freeze': {
    value: 'the reason, up to 512 characters',
    example: 'black friday, ask #sre',
    standsOn: EVERYWHERE,
    meaning:
      "Nothing about the release changes: no install, upgrade, rollback or uninstall, no edit of its records and objects, no restart of its Pods by people, no deletion of them or of their Namespace. `helm test` works, and Pods may be deleted. Another reason over a freeze in force drops its end, and takes `unlock` as well unless the freeze is the writer's own.",
  },
  'belay.dev/freeze-until': {
    value: 'a time to come, in RFC 3339',
    example: EXAMPLE_TIME,
    besides: { 'belay.dev/freeze': 'black friday, ask #sre' },
    standsOn: EVERYWHERE,
    meaning:
      'The freeze ends by itself at that time; without it, when somebody lifts it. To end one that stands sooner than it says takes `unlock`; to let it last longer takes `lock`.',
  },
  'belay.dev/freeze-by': {
    value: 'a username',
    example: undefined,
    standsOn: EVERYWHERE,
    meaning: 'Who froze, as the API server authenticated them. Belay writes it and puts it right.',
  },
  'belay.dev/pin': {
    value: 'a SemVer range as Helm writes it: `1.4.2`, `1.4.x`, `>=1.2 <2`, `>=1.2, !=1.5.0`',
    example: '1.4.x',
    standsOn: EVERYWHERE,
    meaning:
      'The release moves only to these versions of its chart, and to no other chart. Back to what is deployed always works. To write another range over it takes `unlock` as well.',
  },
  'belay.dev/no-downgrade': {
    value: '`true`',
    example: 'true',
    standsOn: EVERYWHERE,
    meaning: "The chart's version does not go below the one that is deployed.",
  },
  'belay.dev/open': {
    value: 'the reason, up to 512 characters',
    example: 'index migration',
    besides: { 'belay.dev/open-until': EXAMPLE_TIME },
    standsOn: EVERYWHERE,
    meaning:
      'A maintenance window: governed objects may be changed by hand, and each change is noted. A freeze comes before it.',
  },
  'belay.dev/open-until': {
    value: `a time within the next ${MAX_OPEN_MS / 3_600_000} hours, in RFC 3339`,
    example: EXAMPLE_TIME,
    besides: { 'belay.dev/open': 'index migration' },
    standsOn: EVERYWHERE,
    meaning: 'When the maintenance window closes by itself. `belay.dev/open` is nothing without it.',
  },
  'belay.dev/break': {
    value: 'the reason, up to 512 characters',
    example: 'the runner was shut down',
    standsOn: 'a pending or uninstalling record',
    meaning:
      'The operation of this record is dead: the next one may take over, and what the dead one still writes is refused.',
  },
};
