import { gunzipSync, gzipSync } from 'node:zlib';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Chart, Values } from './chart.ts';

export type RecordKind = 'Secret' | 'ConfigMap';

/** What a record's payload says, as Helm encodes it (pkg/release/v1/release.go); `manifest` and `config` are what it stores. */
export interface Payload {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly info: Readonly<Record<string, string>>;
  readonly chart: { readonly metadata: Chart; readonly [field: string]: unknown };
  readonly config: Values;
  readonly manifest: string;
  readonly hooks: readonly object[];
}

export const recordName = (release: string, revision: number): string => `sh.helm.release.v1.${release}.v${revision}`;

/** Base64 of gzip of JSON; a Secret has Kubernetes' own base64 around it. */
export const encodePayload = (payload: object, kind: RecordKind): string => encodeText(JSON.stringify(payload), kind);

export const encodeText = (json: string, kind: RecordKind): string => {
  const once = gzipSync(json, { level: 1 }).toString('base64');
  return kind === 'Secret' ? Buffer.from(once).toString('base64') : once;
};

export const decodeText = (object: KubernetesObject): string => {
  const { release } = object.data as { release: string };
  const once = object.kind === 'Secret' ? Buffer.from(release, 'base64').toString() : release;
  return gunzipSync(Buffer.from(once, 'base64')).toString();
};

export const payloadIn = (object: KubernetesObject): Payload => JSON.parse(decodeText(object)) as Payload;

/** A record as Helm sends it at a write: whole, without annotations and without a resourceVersion. Of `stamp` it makes a label. */
export const toRecordObject = (
  payload: Payload,
  kind: RecordKind,
  namespace: string,
  stamp: Readonly<Record<string, string>>,
): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  ...(kind === 'Secret' && { type: 'helm.sh/release.v1' }),
  metadata: {
    name: recordName(payload.name, payload.version),
    namespace,
    labels: {
      name: payload.name,
      owner: 'helm',
      status: payload.info.status ?? 'unknown',
      version: String(payload.version),
      ...stamp,
    },
  },
  data: { release: encodePayload(payload, kind) },
});
