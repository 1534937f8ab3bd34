import type { DenialCode } from '../../src/rules/verdict.ts';

/** What docs/reference.md says about a refusal. A new code does not compile until DENIALS explains it. */
export interface DenialEntry {
  readonly refused: string;
  readonly whatToDo: string;
}

export const DENIALS: Readonly<Record<DenialCode, DenialEntry>> = {
  BelayOperationInFlight: {
    refused:
      'An operation that would begin, or a write that would disturb one, while another operation of the same release is in flight.',
    whatToDo: 'Wait until it is done (`helm status`). If it is dead, break it: `belay.dev/break`.',
  },
  BelayFrozen: {
    refused:
      'Anything that would change a frozen release: an operation, a write of a record or of a governed object, the deletion of its Namespace.',
    whatToDo:
      'Wait until the freeze ends, or ask somebody who may `unlock`. For the freeze of a policy, ask somebody who may change the policy.',
  },
  BelayDrift: {
    refused: 'A change, deletion, re-creation or scaling of an object that a release manages, past Helm.',
    whatToDo:
      'Change it in the chart or its values. What has drifted, or is gone, is set back by `belay drift <release> --repair`. If it has to be by hand, have the release opened: `belay.dev/open`.',
  },
  BelayPinned: {
    refused: 'An operation that moves the release to another chart, or to a chart version outside the pin.',
    whatToDo: 'Take a version inside the pin, or ask somebody who may `unlock` (or change the policy).',
  },
  BelayDowngrade: {
    refused: 'An operation that moves the release below the chart version that is deployed.',
    whatToDo: 'Release a higher version, or ask somebody who may `unlock` (or change the policy).',
  },
  BelayFenced: {
    refused: 'What an operation still writes after another one has taken over from it.',
    whatToDo: 'Stop the old helm process, and look where the release stands: `helm history`.',
  },
  BelayRecordProtected: {
    refused:
      'A write that would forge, lose or repurpose a record of Helm, such as patching it to `pending-upgrade` to lock the release.',
    whatToDo: 'Leave records to Helm. To lock a release, use `belay.dev/freeze`.',
  },
  BelayBadLock: {
    refused:
      'An annotation under `belay.dev/` that cannot be read, lies in the past, is unknown, or stands where it means nothing.',
    whatToDo: 'Write it as the message says.',
  },
  BelayLockForbidden: {
    refused: 'A lock written, changed or lifted by somebody who may not.',
    whatToDo: 'Ask somebody who may, or have the rule that the message shows added to a Role of yours.',
  },
  BelayBadPolicy: {
    refused: 'A ReleasePolicy with a field that cannot be read.',
    whatToDo: 'Correct the fields that the message lists. What was in force stays in force.',
  },
  BelayClaimGuarded: {
    refused: 'A write of the Lease `belay.<release>`, in which Belay keeps who holds a release.',
    whatToDo: 'Leave it alone. If its operation is dead, break that: `belay.dev/break`.',
  },
  BelayUnavailable: {
    refused:
      'A write of a record or a lock, or the deletion of a governed object, about which Belay could not learn enough in time.',
    whatToDo: 'Try again. If it goes on, see how Belay is doing: `kubectl get pods -n belay-system`.',
  },
};
