import { z } from 'zod';
import { escapeText } from './escape.ts';
import type { KubernetesObject, Review } from './review.ts';

export type ParsedReview =
  | { readonly ok: true; readonly review: Review }
  | { readonly ok: false; readonly uid: string | undefined; readonly problem: string };

const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isStringMap = (value: unknown): boolean => {
  if (!isJsonObject(value)) return false;
  for (const key in value) if (typeof value[key] !== 'string') return false;
  return true;
};
const isOptionalString = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isOptionalMap = (value: unknown): boolean => value === undefined || value === null || isStringMap(value);

const stringMap = z.custom<Readonly<Record<string, string>>>(isStringMap, 'expected a map of strings');

/**
 * Only what Belay reads of an object is checked. zod's copy of it is thrown away: rules get the very object that JSON.parse
 * made, so that every field (a ConfigMap may have a key called `__proto__`) is seen as the API server saw it.
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

/** The same check without a copy and without words: it runs for every review, the one above only to tell what is wrong. */
const isKubernetesObject = (value: unknown): boolean => {
  if (!isJsonObject(value)) return false;
  const { metadata } = value;
  if (metadata === undefined) return true;
  if (!isJsonObject(metadata)) return false;
  const { name, namespace, labels, annotations } = metadata;
  return isOptionalString(name) && isOptionalString(namespace) && isOptionalMap(labels) && isOptionalMap(annotations);
};

/** AdmissionReview of k8s.io/api/admission/v1, whose Go types drop (`omitempty`) whatever is empty. */
const reviewOf = (object: z.ZodType<KubernetesObject>) =>
  z.object({
    apiVersion: z.literal('admission.k8s.io/v1'),
    kind: z.literal('AdmissionReview'),
    request: z.object({
      // The API server sends a UUID of 36 characters; the bound keeps what is echoed back and logged small.
      uid: z.string().min(1).max(128),
      kind: z.object({ ...groupVersion, kind: z.string() }),
      resource: z.object({ ...groupVersion, resource: z.string() }),
      subResource: z.string().optional(),
      name: z.string().optional(),
      namespace: z.string().optional(),
      operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
      userInfo: z.object({
        username: z.string().optional(),
        groups: z.array(z.string()).nullish(),
        extra: z.record(z.string(), z.array(z.string())).nullish(),
      }),
      dryRun: z.boolean().nullish(),
      object: object.nullish(),
      oldObject: object.nullish(),
    }),
  });

const admissionReview = reviewOf(z.custom<KubernetesObject>(isKubernetesObject));
const explainedReview = reviewOf(kubernetesObject as unknown as z.ZodType<KubernetesObject>);

/** Reads an AdmissionReview. Never throws; `uid` is there whenever an AdmissionReview can still be answered. */
export const parseReview = (body: unknown): ParsedReview => {
  const parsed = admissionReview.safeParse(body);
  if (!parsed.success) {
    const explained = explainedReview.safeParse(body);
    return { ok: false, uid: uidOf(body), problem: problemOf(explained.error ?? parsed.error) };
  }
  const { request } = parsed.data;
  const raw = (body as { request: { object?: KubernetesObject | null; oldObject?: KubernetesObject | null } }).request;
  const object = raw.object ?? undefined;
  const oldObject = raw.oldObject ?? undefined;
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
        username: request.userInfo.username ?? '',
        groups: request.userInfo.groups ?? [],
        ...(request.userInfo.extra && { extra: request.userInfo.extra }),
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
  return typeof uid === 'string' && uid.length > 0 && uid.length <= 128 ? uid : undefined;
};

const problemOf = (error: z.ZodError): string => {
  const [issue] = error.issues;
  if (issue === undefined) return 'not an AdmissionReview';
  const where = issue.path.length > 0 ? issue.path.map(String).join('.') : 'the body';
  return escapeText(`not an AdmissionReview of admission.k8s.io/v1: ${where}: ${issue.message}`, 300);
};
