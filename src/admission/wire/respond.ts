import type { Denial, Waived } from '../../rules/verdict.ts';
import { escapeText } from '../../text/escape.ts';
import { describeDenial } from '../explain/message.ts';
import { REHEARSED } from '../explain/rehearsed.ts';
import type { AdmissionAnswer } from './answer.ts';

/**
 * The API server shortens warnings once all of them together pass 4096 characters, and then each to 256
 * (k8s.io/apiserver/pkg/endpoints/filters/warning.go: truncateAtTotalRunes, truncateItemRunes).
 */
const MAX_WARNING_CHARACTERS = 256;
const MAX_WARNINGS = 4096 / MAX_WARNING_CHARACTERS;

/** Longest audit annotation, because audit events are stored for years. It has room for a sentence and a list of fields. */
const MAX_AUDIT_CHARACTERS = 1024;

/**
 * Every refusal is 403 and Forbidden: Helm retries on 409 and 429, and prints "release: already exists" in place of the
 * message when the reason is AlreadyExists.
 */
const DENIED = { status: 'Failure', code: 403, reason: 'Forbidden' } as const;

/** An uninstall may be refused at a hundred objects: of each the first line, which says what is refused and why. */
const LINES_OF_AN_OBJECT = 1;

/**
 * How many lines of a refusal are also told as warnings, which reach the terminal all the same (client-go prints them). `helm uninstall` does not show
 * why its record was refused: it goes on, fails to delete the objects, and says only "failed to delete release". So do Terraform and operators. And
 * Helm says nothing of a record that it could not update beside its own.
 */
const linesAsWarnings = (denial: Denial): number => {
  if ('isSwallowed' in denial && denial.isSwallowed === true) return MAX_WARNINGS;
  if (!('attempt' in denial)) return 0;
  const isOfObject = 'object' in denial && denial.object !== undefined;
  if (denial.attempt === 'uninstall') return isOfObject ? 0 : MAX_WARNINGS;
  return denial.attempt === 'delete' && isOfObject ? LINES_OF_AN_OBJECT : 0;
};

/**
 * The AdmissionReview that goes back, as text. Nearly every answer only allows, and the text of such an answer is put together by hand, which is
 * faster.
 */
export const toAdmissionText = (uid: string, answer: AdmissionAnswer, nowMs: number): string =>
  isPlain(answer)
    ? `${PLAIN}${JSON.stringify(uid)},"allowed":true}}`
    : JSON.stringify(toAdmissionResponse(uid, answer, nowMs));

const PLAIN = '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":';

/** Whether the answer allows and has nothing else that `toAdmissionResponse` writes. */
const isPlain = (answer: AdmissionAnswer): boolean =>
  answer.allowed &&
  answer.warnings === undefined &&
  answer.waived === undefined &&
  answer.audit === undefined &&
  answer.patch === undefined;

/** The whole AdmissionReview that goes back to the API server. */
export const toAdmissionResponse = (uid: string, answer: AdmissionAnswer, nowMs: number): object => {
  if (!answer.allowed) {
    const { message, causes } = describeDenial(answer.denial, nowMs);
    const told = linesAsWarnings(answer.denial);
    return toReview({
      uid,
      allowed: false,
      ...(told > 0 && { warnings: toWarnings(answer.denial, nowMs).slice(0, told).map(toWarning) }),
      status: { ...DENIED, message, details: { causes } },
    });
  }
  const { audit, patch, waived = [] } = answer;
  const warnings = [
    ...(answer.warnings ?? []),
    ...waived
      .filter(({ action }) => action === 'Warn')
      .flatMap(({ denial, isRehearsal }) => [...(isRehearsal ? [REHEARSED] : []), ...toWarnings(denial, nowMs)]),
  ];
  const notes = waived.length === 0 ? audit : { ...audit, 'would-refuse': toAuditNote(waived, nowMs) };
  return toReview({
    uid,
    allowed: true,
    ...(warnings.length > 0 && { warnings: warnings.slice(0, MAX_WARNINGS).map(toWarning) }),
    ...(notes && { auditAnnotations: toAuditAnnotations(notes) }),
    ...(patch &&
      patch.length > 0 && {
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      }),
  });
};

/** The answer to a review that names a uid but cannot be judged. */
export const toMalformedResponse = (uid: string, problem: string): object =>
  toReview({ uid, allowed: false, status: { status: 'Failure', code: 400, reason: 'BadRequest', message: problem } });

const toReview = (response: object): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response,
});

/** A refusal as warnings, one for each line of the denial's message. */
const toWarnings = (denial: Denial, nowMs: number): string[] => describeDenial(denial, nowMs).message.split('\n');

const toAuditNote = (waived: readonly Waived[], nowMs: number): string =>
  waived.map(({ denial }) => describeDenial(denial, nowMs).message.replaceAll(/\s*\n\s*/g, '; ')).join(' | ');

/** A warning travels in an HTTP header: one line, nothing that a terminal would obey. */
const toWarning = (warning: string): string => escapeText(warning, MAX_WARNING_CHARACTERS - 1);

/** The API server makes `<webhook>/<key>` of a key. It drops a key that cannot be the name part of a qualified name. */
const toAuditAnnotations = (audit: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(audit).map(([key, value]) => [toAuditKey(key), escapeText(value, MAX_AUDIT_CHARACTERS)]),
  );

const toAuditKey = (key: string): string =>
  key
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '') || 'note';
