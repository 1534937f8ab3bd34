import { z } from 'zod';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { escapeText } from '../../text/escape.ts';
import type { Operation, Review } from './review.ts';

export type ParsedReview =
  | { readonly ok: true; readonly review: Review }
  | { readonly ok: false; readonly uid: string | undefined; readonly problem: string };

const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isString = (value: unknown): value is string => typeof value === 'string';
const isOptionalString = (value: unknown): boolean => value === undefined || isString(value);
const isMissing = (value: unknown): boolean => value === undefined || value === null;
const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every(isString);

const isMapOf = (value: unknown, isItem: (item: unknown) => boolean): boolean => {
  if (!isJsonObject(value)) return false;
  for (const key in value) if (!isItem(value[key])) return false;
  return true;
};
const isStringMap = (value: unknown): boolean => isMapOf(value, isString);

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const satisfies readonly Operation[];

/** The API server sends a UUID of 36 characters; the bound keeps what is echoed back and logged small. */
const MAX_UID_CHARACTERS = 128;

const stringMap = z.custom<Readonly<Record<string, string>>>(isStringMap, 'expected a map of strings');

/**
 * Only the fields that Belay reads are checked. zod's copy is thrown away. The rules get the object that JSON.parse made, so that they see
 * every field as the API server saw it: a ConfigMap may have a key called `__proto__`.
 */
const kubernetesObject = z.object({
  metadata: z
    .object({
      name: z.string().optional(),
      namespace: z.string().optional(),
      labels: stringMap.nullish(),
      annotations: stringMap.nullish(),
    })
    .optional(),
});

const groupVersion = { group: z.string(), version: z.string() };

/** AdmissionReview of k8s.io/api/admission/v1, whose Go types drop (`omitempty`) whatever is empty. */
export const admissionReviewSchema = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: z.string().min(1).max(MAX_UID_CHARACTERS),
    kind: z.object({ ...groupVersion, kind: z.string() }),
    resource: z.object({ ...groupVersion, resource: z.string() }),
    subResource: z.string().optional(),
    name: z.string().optional(),
    namespace: z.string().optional(),
    operation: z.enum(OPERATIONS),
    userInfo: z.object({
      username: z.string().optional(),
      groups: z.array(z.string()).nullish(),
      extra: z.record(z.string(), z.array(z.string())).nullish(),
    }),
    dryRun: z.boolean().nullish(),
    object: kubernetesObject.nullish(),
    oldObject: kubernetesObject.nullish(),
  }),
});

type AdmissionReview = z.infer<typeof admissionReviewSchema> & {
  readonly request: { readonly object?: KubernetesObject | null; readonly oldObject?: KubernetesObject | null };
};

const isKubernetesObject = (value: unknown): boolean => {
  if (!isJsonObject(value)) return false;
  const { metadata } = value;
  if (metadata === undefined) return true;
  if (!isJsonObject(metadata)) return false;
  const { name, namespace, labels, annotations } = metadata;
  return (
    isOptionalString(name) &&
    isOptionalString(namespace) &&
    (isMissing(labels) || isStringMap(labels)) &&
    (isMissing(annotations) || isStringMap(annotations))
  );
};

const isGroupVersion = (value: unknown, last: 'kind' | 'resource'): boolean =>
  isJsonObject(value) && isString(value.group) && isString(value.version) && isString(value[last]);

const isUserInfo = (value: unknown): boolean =>
  isJsonObject(value) &&
  isOptionalString(value.username) &&
  (isMissing(value.groups) || isStrings(value.groups)) &&
  (isMissing(value.extra) || isMapOf(value.extra, isStrings));

/**
 * Decides as the schema above does (parse.test.ts compares both), but makes no copy and tells no reason. It runs for every review; zod runs only
 * to tell what is wrong.
 */
const isAdmissionReview = (body: unknown): body is AdmissionReview => {
  if (!isJsonObject(body) || body.apiVersion !== 'admission.k8s.io/v1' || body.kind !== 'AdmissionReview') return false;
  const { request } = body;
  if (!isJsonObject(request)) return false;
  const { object, oldObject, dryRun } = request;
  return (
    uidOf(body) !== undefined &&
    isGroupVersion(request.kind, 'kind') &&
    isGroupVersion(request.resource, 'resource') &&
    isOptionalString(request.subResource) &&
    isOptionalString(request.name) &&
    isOptionalString(request.namespace) &&
    (OPERATIONS as readonly unknown[]).includes(request.operation) &&
    isUserInfo(request.userInfo) &&
    (isMissing(dryRun) || typeof dryRun === 'boolean') &&
    (isMissing(object) || isKubernetesObject(object)) &&
    (isMissing(oldObject) || isKubernetesObject(oldObject))
  );
};

/** Reads an AdmissionReview. Never throws. A bad review has its `uid` where it can still be answered. */
export const parseReview = (body: unknown): ParsedReview => {
  if (!isAdmissionReview(body)) return { ok: false, uid: uidOf(body), problem: problemOf(body) };
  const { request } = body;
  const { userInfo } = request;
  const object = request.object ?? undefined;
  const oldObject = request.oldObject ?? undefined;
  return {
    ok: true,
    review: {
      uid: request.uid,
      operation: request.operation,
      kind: request.kind,
      resource: request.resource,
      subResource: request.subResource ?? '',
      namespace: request.namespace ?? '',
      // A deletecollection names nothing, and neither does a CREATE with generateName.
      name: request.name || oldObject?.metadata?.name || object?.metadata?.name || '',
      user: {
        username: userInfo.username ?? '',
        groups: userInfo.groups ?? [],
        ...(userInfo.extra && { extra: userInfo.extra }),
      },
      dryRun: request.dryRun ?? false,
      object,
      oldObject,
    },
  };
};

const uidOf = (body: unknown): string | undefined => {
  if (!isJsonObject(body) || !isJsonObject(body.request)) return undefined;
  const { uid } = body.request;
  return isString(uid) && uid.length > 0 && uid.length <= MAX_UID_CHARACTERS ? uid : undefined;
};

const problemOf = (body: unknown): string => {
  const issue = admissionReviewSchema.safeParse(body).error?.issues[0];
  if (issue === undefined) return 'not an AdmissionReview';
  const where = issue.path.length > 0 ? issue.path.map(String).join('.') : 'the body';
  return escapeText(`not an AdmissionReview of admission.k8s.io/v1: ${where}: ${issue.message}`, 300);
};
